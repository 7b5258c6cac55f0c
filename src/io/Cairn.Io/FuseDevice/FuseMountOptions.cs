namespace Cairn.Io.FuseDevice;

/// <summary>How the kernel's side of a mount is set up.</summary>
public sealed record FuseMountOptions
{
    /// <summary>What is used when nobody says otherwise.</summary>
    public static FuseMountOptions Default { get; } = new();

    /// <summary>What df shows as the source. Default: "cairn".</summary>
    public string Source { get; init; } = "cairn";

    /// <summary>How many threads read requests, each with its own queue in the kernel. Default: 2.</summary>
    public int ReaderThreads { get; init; } = 2;

    /// <summary>The largest data of one request, in bytes; the session's must be the same. Default: 1 MiB.</summary>
    public int RequestBytesMax { get; init; } = 1 << 20;

    /// <summary>
    /// How far the kernel may read ahead, in bytes; only root can raise it above 128 KiB. Default: 1 MiB.
    /// </summary>
    public int ReadaheadBytes { get; init; } = 1 << 20;

    /// <summary>Mount by fusermount3 although root could do it itself. Default: false.</summary>
    public bool UseHelper { get; init; }
}
