using Cairn.Node.Volumes;

namespace Cairn.Fuse.Session;

/// <summary>
/// What the request that this thread is handling changes, so that the kernel is not told what it asked for itself.
/// </summary>
internal sealed class OwnChange
{
    [ThreadStatic]
    private static OwnChange? _current;

    private object? _session;
    private InodeNumber _node;
    private InodeNumber _otherNode;
    private ReadOnlyMemory<byte> _name;
    private ReadOnlyMemory<byte> _otherName;
    private bool _changesLinks;

    /// <summary>This thread's.</summary>
    public static OwnChange Current => _current ??= new OwnChange();

    /// <summary>A request for a node begins.</summary>
    public void Begin(object session, InodeNumber node)
    {
        _session = session;
        _node = node;
        _otherNode = node;
        _name = default;
        _otherName = default;
        _changesLinks = false;
    }

    /// <summary>It changes an entry, and the link counts of what entries point at.</summary>
    public void Names(ReadOnlyMemory<byte> name)
    {
        _name = name;
        _changesLinks = true;
    }

    /// <summary>It concerns a second node, and an entry there.</summary>
    public void Also(InodeNumber node, ReadOnlyMemory<byte> name)
    {
        _otherNode = node;
        _otherName = name;
    }

    /// <summary>It is handled; what it left running is not this thread's any more.</summary>
    public void End() => Begin(null!, default);

    /// <summary>Whether the kernel knows of a changed object because it asked for the change.</summary>
    public static bool Covers(object session, InodeNumber inode, bool contentChanged) =>
        _current is { } own
        && ReferenceEquals(own._session, session)
        && (inode == own._node || inode == own._otherNode || (own._changesLinks && !contentChanged));

    /// <summary>Whether the kernel knows of a changed entry because it asked for the change.</summary>
    public static bool Covers(object session, InodeNumber parent, ReadOnlySpan<byte> name) =>
        _current is { } own
        && ReferenceEquals(own._session, session)
        && own._changesLinks
        && ((parent == own._node && name.SequenceEqual(own._name.Span))
            || (parent == own._otherNode && name.SequenceEqual(own._otherName.Span)));
}
