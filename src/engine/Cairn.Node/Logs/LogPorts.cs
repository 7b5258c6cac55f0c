using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Logs.Checkpoints;
using Cairn.Node.Logs.Recovery;
using Cairn.Node.Ports;
using Cairn.Storage.Journaling;
using Cairn.Storage.Logs;

namespace Cairn.Node.Logs;

/// <summary>What a replicated log needs of its node.</summary>
public sealed record LogPorts
{
    /// <summary>The node's journal, replayed.</summary>
    public required Journal Journal { get; init; }

    /// <summary>Seals what goes into the journal.</summary>
    public required JournalCipher JournalCipher { get; init; }

    /// <summary>What the journal held at the start.</summary>
    public required RecoveredJournal Recovered { get; init; }

    /// <summary>Everybody's blocks.</summary>
    public required LogStore Blocks { get; init; }

    /// <summary>The rebuildable index of this log's fold; the log does not dispose it.</summary>
    public required IIndexStore Index { get; init; }

    /// <summary>What a fold that is made anew may begin with, if something of it stands; null: nothing.</summary>
    public CheckpointShelf? Checkpoints { get; init; }

    /// <summary>
    /// Whether nobody asks for the tree any more: it is opened though what was dropped of its history is lost.
    /// </summary>
    public bool NeedsNoPast { get; init; }

    /// <summary>Signs own blocks.</summary>
    public required IIdentity Identity { get; init; }

    /// <summary>Checks what others signed; null: by keys that are imported once for each author.</summary>
    public SignatureCheck? CheckSignature { get; init; }

    /// <summary>Who else may write, and with which key.</summary>
    public required IMembers Members { get; init; }

    /// <summary>What members that are counted on said they hold of it, now or before they went away.</summary>
    public Func<LogPositions> Elsewhere { get; init; } = Nowhere;

    /// <summary>Of nobody it is known.</summary>
    internal static Func<LogPositions> Nowhere { get; } = static () => LogPositions.Empty;

    /// <summary>Draws the numbers of new incarnations.</summary>
    public required IEntropy Entropy { get; init; }

    /// <summary>Timers and claimed times.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>Where sealing and persisting run.</summary>
    public required IWorkers Workers { get; init; }

    /// <summary>A block that is here; null if it is not, or cannot be read. Reads the disk.</summary>
    internal (LogBlock Block, byte[] Encoded)? ReadBlock(VolumeId volume, LogId log, ulong seq) =>
        Blocks.Read(volume, log, seq).TryGet(out byte[]? encoded, out _)
        && LogBlockCodec.Decode(encoded).TryGet(out LogBlock? block, out _)
            ? (block, encoded)
            : null;
}

/// <summary>How a replicated log behaves.</summary>
public sealed record ReplicatedLogOptions
{
    /// <summary>How long to gather transactions before a block is sealed. Default 4 ms.</summary>
    public TimeSpan SealDelay { get; init; } = TimeSpan.FromMilliseconds(4);

    /// <summary>The same while transactions come in numbers. Default 40 ms.</summary>
    public TimeSpan SealDelayWhenBusy { get; init; } = TimeSpan.FromMilliseconds(40);

    /// <summary>How long changes may stay only in memory and logs before the index has them. Default 2 s.</summary>
    public TimeSpan PersistDelay { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>So many changes are written without waiting: they take memory. Default 32,768, some 15 MiB of small files.</summary>
    public int PersistChangesMax { get; init; } = 1 << 15;

    /// <summary>So many received transactions are folded at once, with the gate held: a fraction of a second. Default 8192.</summary>
    public int FoldTransactionsMax { get; init; } = 8192;

    /// <summary>So many may wait in memory for others they depend on; more are read from their blocks again. Default 16,384.</summary>
    public int WaitingTransactionsMax { get; init; } = 1 << 14;

    /// <summary>Bytes of the index that are kept in memory. Default 24 MiB.</summary>
    public long TableCacheBytes { get; init; } = 24L << 20;

    /// <summary>An index of more bytes is not read through at the start: every key of it would be opened, 4 us each.</summary>
    /// <remarks>Default 128 MiB, some 250,000 files. Without it a new name costs a look into the index.</remarks>
    public long LearnIndexBytesMax { get; init; } = 128L << 20;
}
