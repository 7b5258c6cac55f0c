namespace Cairn.Cli;

/// <summary>A command cannot do what was asked; its message says what, where and what to do, and is shown as it is.</summary>
public sealed class CommandException : Exception
{
    /// <summary>Creates the exception without a message.</summary>
    public CommandException()
    {
    }

    /// <summary>Creates the exception with the sentence to show.</summary>
    public CommandException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with the sentence to show and its cause.</summary>
    public CommandException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>What the process exits with.</summary>
    public int Exit { get; init; } = Output.ExitCode.Failed;
}
