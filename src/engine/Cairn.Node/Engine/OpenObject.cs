using System.Collections.Immutable;
using Cairn.Core.Manifests;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Node.Drafts;
using Cairn.Node.Volumes;

namespace Cairn.Node.Engine;

/// <summary>A file that is open or has unpublished writes: all its handles on this node show the same bytes.</summary>
/// <remarks>
/// Layers, the first that covers a byte shows it: the active draft (being written), the frozen draft (being published), the
/// base version. While there is a writer or a draft the base is pinned: a writer supersedes only what it had open.
/// Guarded by the volume's gate; a frozen draft's map does not change.
/// </remarks>
internal sealed class OpenObject(ObjectId id, InodeNumber inode)
{
    /// <summary>The file, or the branch that shows one of its conflicting heads.</summary>
    public ObjectId Id { get; } = id;

    /// <summary>Its number.</summary>
    public InodeNumber Inode { get; } = inode;

    /// <summary>Open handles.</summary>
    public int Handles { get; set; }

    /// <summary>Of those, handles that may write.</summary>
    public int Writers { get; set; }

    /// <summary>Since when there are such, in monotonic milliseconds.</summary>
    public long WritersSinceMs { get; set; }

    /// <summary>The heads that a publication supersedes.</summary>
    public ImmutableArray<VersionId> BaseHeads { get; set; } = [];

    /// <summary>The encoded ManifestRoot of the base; empty for none.</summary>
    public ReadOnlyMemory<byte> BaseRoot { get; set; }

    /// <summary>The base's bytes; null until a large manifest was read.</summary>
    public Manifest? Base { get; set; }

    /// <summary>Length of the base.</summary>
    public long BaseSize { get; set; }

    /// <summary>What is being written.</summary>
    public Draft? Active { get; set; }

    /// <summary>What is being published.</summary>
    public Draft? Frozen { get; set; }

    /// <summary>When what is being published is tried again, engine milliseconds: what it is based on cannot be read.</summary>
    public long RetryAtMs { get; set; }

    /// <summary>Whether a close asked for publishing.</summary>
    public bool WantsPublishing { get; set; }

    /// <summary>The length that is shown.</summary>
    public long SizeBytes => Active?.SizeBytes ?? Frozen?.SizeBytes ?? BaseSize;

    /// <summary>The draft whose time is shown, if any.</summary>
    public Draft? Newest => Active ?? Frozen;

    /// <summary>Whether nothing keeps it in memory.</summary>
    public bool IsIdle => Handles == 0 && Active is null && Frozen is null;

    /// <summary>Whether the base must stay what it was when the writer opened it.</summary>
    public bool IsPinned => Writers > 0 || Active is not null || Frozen is not null;

    /// <summary>Whether another version came while the base had to stay what it was.</summary>
    public bool MayHaveNewer { get; set; }

    /// <summary>Whether the base is the version that the tree shows now.</summary>
    public bool Shows(ObjectView view) =>
        view.Head is { } head ? BaseHeads.Length > 0 && head.Is(BaseHeads[0]) : BaseHeads.IsEmpty;

    /// <summary>Takes the version that the tree shows now as the base.</summary>
    public void Rebase(ObjectView view)
    {
        if (view.Head is not { } head)
        {
            BaseHeads = [];
            BaseRoot = default;
            Base = Manifest.Empty;
            BaseSize = 0;
            return;
        }

        if (Shows(view) && Base is not null)
        {
            return;
        }

        BaseHeads = [head.Version];
        BaseRoot = head.Manifest;
        BaseSize = head.SizeBytes;
        Base = null;
    }
}

/// <summary>An open handle.</summary>
/// <param name="Target">The file.</param>
/// <param name="Intent">What it was opened for.</param>
internal sealed record HandleState(OpenObject Target, OpenIntent Intent)
{
    /// <summary>Whether it may read.</summary>
    public bool CanRead => (Intent & OpenIntent.Read) != 0 || (Intent & OpenIntent.Write) == 0;

    /// <summary>Whether it may write.</summary>
    public bool CanWrite => (Intent & OpenIntent.Write) != 0;
}
