using Cairn.Core.Primitives;

namespace Cairn.Core.Tree.Returning;

/// <summary>Of which objects an author's transactions spoke, where they were applied, that the tree did not know.</summary>
/// <remarks>
/// An author speaks of what it sees. So the tree has forgotten that before, by a condemnation that the author had not seen; or it may
/// not make it. Applied again at another place, a transaction may have its effect after all: what is here is worth a look, no more.
/// Used under the log's gate, but for <see cref="IsAny"/>.
/// </remarks>
public sealed class MissedObjects
{
    private readonly HashSet<MissedEdit> _met = [];
    private volatile bool _isAny;

    /// <summary>Whose transactions are looked at; the default: nobody's.</summary>
    public NodeId Author { get; set; }

    /// <summary>Whether there is one. Any thread.</summary>
    public bool IsAny => _isAny;

    /// <summary>Takes them out.</summary>
    public IReadOnlyCollection<MissedEdit> Take()
    {
        MissedEdit[] taken = [.. _met];
        _met.Clear();
        _isAny = false;
        return taken;
    }

    internal void Note(MissedEdit edit)
    {
        _met.Add(edit);
        _isAny = true;
    }
}
