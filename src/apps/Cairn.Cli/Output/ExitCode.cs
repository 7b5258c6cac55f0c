namespace Cairn.Cli.Output;

/// <summary>What the process exit code says. Documented in docs/operations/exit-codes.md; scripts rely on it.</summary>
public static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Ok = 0;

    /// <summary>It failed; the message says what and what to do.</summary>
    public const int Failed = 1;

    /// <summary>The command line was wrong.</summary>
    public const int Usage = 2;

    /// <summary>The condition asked for does not hold (yet): not safe, timed out.</summary>
    public const int NotSafe = 3;

    /// <summary>The path, volume or node named does not exist.</summary>
    public const int NotFound = 4;

    /// <summary>The daemon does not run, or does not answer.</summary>
    public const int NoDaemon = 5;

    /// <summary>The node is locked (<c>cairn unlock</c>), or the passphrase is wrong.</summary>
    public const int Locked = 6;

    /// <summary>Interrupted by Ctrl-C.</summary>
    public const int Interrupted = 130;
}
