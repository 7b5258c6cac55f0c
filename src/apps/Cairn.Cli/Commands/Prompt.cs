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
        return string.IsNullOrEmpty(given) ? throw new CommandException("a passphrase is needed") : given;
    }

    private static string Type(string question)
    {
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
