using System.Text;

namespace Cairn.Cli.Commands;

/// <summary>Questions to the person at the terminal; without a terminal the careful answer is assumed.</summary>
public static class Prompt
{
    /// <summary>Asks a question whose answer is yes only when it says so.</summary>
    public static bool Confirm(string question)
    {
        if (Console.IsInputRedirected)
        {
            return false;
        }

        Console.Error.Write(question + " [y/N] ");
        return Console.ReadLine()?.Trim() is "y" or "Y" or "yes";
    }

    /// <summary>Reads a passphrase to be: asked for twice on a terminal, so that a slip of the finger locks nobody out.</summary>
    /// <exception cref="CommandException">There is none, or the two differ.</exception>
    public static string NewPassphrase(string? file)
    {
        string passphrase = Passphrase("New passphrase", file);
        if (file is null && !Console.IsInputRedirected && Passphrase("Once more", null) != passphrase)
        {
            throw new CommandException("the two passphrases differ; nothing was changed");
        }

        return passphrase;
    }

    /// <summary>Reads a passphrase without showing it, or a line of standard input when that is not a terminal.</summary>
    /// <exception cref="CommandException">There is none.</exception>
    public static string Passphrase(string question, string? file)
    {
        string? given = file switch
        {
            "-" => Console.In.ReadLine(),
            { } path => File.ReadLines(path).FirstOrDefault(),
            null when Console.IsInputRedirected => Console.In.ReadLine(),
            null => Type(question),
        };
        return string.IsNullOrEmpty(given)
            ? throw new CommandException("a passphrase is needed: type it, or name a file with --passphrase-file")
            : given;
    }

    /// <summary>An argument that lets its holder in: what a process is given, everybody on the machine can read.</summary>
    /// <param name="argument">The secret itself, or - for standard input.</param>
    /// <param name="question">What is asked of a person who is to type it.</param>
    /// <exception cref="CommandException">Standard input has none.</exception>
    public static string Secret(string argument, string question)
    {
        string given = argument != "-" ? argument
            : Console.IsInputRedirected ? Console.In.ReadToEnd()
            : Type(question);
        return given.Trim() is { Length: > 0 } secret
            ? secret
            : throw new CommandException($"{question}: nothing was given on standard input");
    }

    private static string Type(string question)
    {
        // Looking for a key turns the terminal's echo off: what is typed the moment the question appears is not shown.
        _ = Console.KeyAvailable;
        Console.Error.Write(question + ": ");
        StringBuilder typed = new();
        while (Console.ReadKey(intercept: true) is { Key: not ConsoleKey.Enter } key)
        {
            if (key.Key == ConsoleKey.Backspace)
            {
                typed.Length = Math.Max(0, typed.Length - 1);
            }
            else
            {
                typed.Append(key.KeyChar);
            }
        }

        Console.Error.WriteLine();
        return typed.ToString();
    }
}
