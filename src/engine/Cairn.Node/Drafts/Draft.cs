using Cairn.Core.Primitives;
using Cairn.Storage.Journaling;

namespace Cairn.Node.Drafts;

/// <summary>A version in the making: writes of this node over a base, durable in the journal, seen by this node alone.</summary>
/// <remarks>Its id is the id of the version it will become: a replayed draft whose version is in the tree was published.</remarks>
internal sealed class Draft(VersionId version, long sizeBytes)
{
    /// <summary>The version it becomes.</summary>
    public VersionId Version { get; } = version;

    /// <summary>What was written.</summary>
    public ExtentMap Map { get; } = new();

    /// <summary>The file's length with it.</summary>
    public long SizeBytes { get; set; } = sizeBytes;

    /// <summary>Claimed time of the last write, or what the writer set.</summary>
    public WallTime Modified { get; set; }

    /// <summary>Writes that are being sealed: the draft is not frozen before they are in.</summary>
    public int Pending { get; set; }

    /// <summary>Where appends that are being sealed will end: the next one begins there. 0 when there are none.</summary>
    public long AppendEnd { get; set; }

    /// <summary>Whether the file had no entry any more when the first write came: it goes with its last handle.</summary>
    /// <remarks>Not in the journal: a draft that comes back after a crash is rather published once too often.</remarks>
    public bool IsOfRemoved { get; init; }

    /// <summary>Whether an earlier run of the daemon began it: that may have stored a part of it.</summary>
    public bool IsRecovered { get; init; }

    /// <summary>When the first write came, engine milliseconds.</summary>
    public long FirstWriteMs { get; init; }

    /// <summary>When the last write came, engine milliseconds.</summary>
    public long LastWriteMs { get; set; }

    /// <summary>Small journal records that describe it, its beginning first; given back with it.</summary>
    public List<JournalPosition> Notes { get; } = new(1);

    /// <summary>Puts a hole where the size cuts, so that a later extension reads as zeros.</summary>
    public void Resize(long sizeBytes, List<JournalExtent> freed)
    {
        if (sizeBytes < SizeBytes)
        {
            Map.Put(sizeBytes, SizeBytes, null, freed);
        }

        SizeBytes = sizeBytes;
    }
}
