using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tree.Returning;

/// <summary>Finds a member's edits of objects that a condemnation had made the tree forget before them.</summary>
/// <remarks>
/// An edit whose author had not seen that an object was removed brings the object back. A condemnation makes the tree
/// forget what every member has seen removed; a member that is forgotten is not waited for, and what it wrote meanwhile
/// may come after the condemnation in the order, where the object is not there any more: the edit has no effect.
/// Nobody who has seen the condemnation speaks of the object, so whoever does after it had not. What is put into a folder
/// that is nowhere itself is noted, too: it may be condemned as soon as the folder is.
/// </remarks>
/// <param name="author">Whose edits.</param>
public sealed class SwallowedWork(NodeId author)
{
    private readonly HashSet<ObjectId> _forgotten = [];
    private readonly SortedSet<ObjectId> _objects = [];
    private readonly SortedSet<ObjectId> _others = [];
    private readonly Dictionary<ObjectId, HashSet<VersionId>> _versions = [];
    private readonly HashSet<VersionId> _lacking = [];

    /// <summary>What the edits were about, in the order of the ids; some of it may be there all the same.</summary>
    public IReadOnlyCollection<ObjectId> Objects => _objects;

    /// <summary>What such edits of other members were about: each makes its own again, and counts on the copies until then.</summary>
    public IReadOnlyCollection<ObjectId> OfOthers => _others;

    /// <summary>Whether a version is of this work: who made its file again meanwhile may not have had it.</summary>
    public bool HasWritten(VersionId version) => _lacking.Contains(version);

    /// <summary>
    /// Whether a transaction counts in a tree that has forgotten nothing: every one but condemnations.
    /// </summary>
    public static bool ForgetsNothing(Transaction transaction) =>
        !transaction.Primitives.Any(static primitive => primitive is Condemn { Objects.IsEmpty: false });

    /// <summary>Takes the next transaction in the total order.</summary>
    public void See(Transaction transaction)
    {
        bool isOwn = transaction.Id.Log.Author == author;
        foreach (Primitive primitive in transaction.Primitives)
        {
            switch (primitive)
            {
                case Condemn condemn:
                    _forgotten.UnionWith(condemn.Objects);
                    break;
                case CreateObject create when _forgotten.Remove(create.Object):
                    IsThere(create.Object);
                    break;
                case WriteVersion write:
                    See(write, isOwn);
                    break;
                case Place place:
                    Note(place.Object, place.Parent, isOwn);
                    break;
                case Move move:
                    Note(move.Object, move.ToParent, isOwn);
                    break;
                default:
                    break;
            }
        }
    }

    private void Note(ObjectId placed, ObjectId into, bool isOwn)
    {
        if (!_forgotten.Contains(placed) && !_forgotten.Contains(into) && !_objects.Contains(into)
            && !_others.Contains(into))
        {
            IsThere(placed);
        }
        else
        {
            (isOwn ? _objects : _others).Add(placed);
        }
    }

    private void See(WriteVersion write, bool isOwn)
    {
        if (!_forgotten.Contains(write.Object))
        {
            if (_versions.TryGetValue(write.Object, out HashSet<VersionId>? lacking))
            {
                // It was made again, and so is this; or it was made from this.
                Supersede(lacking, write);
                IsThere(write.Object);
            }

            return;
        }

        (isOwn ? _objects : _others).Add(write.Object);
        if (isOwn)
        {
            HashSet<VersionId> written = _versions.GetValueOrDefault(write.Object, []);
            Supersede(written, write);
            written.Add(write.Version);
            _lacking.Add(write.Version);
            _versions[write.Object] = written;
        }
    }

    private void Supersede(HashSet<VersionId> versions, WriteVersion by)
    {
        foreach (VersionId version in by.Parents.Add(by.Version))
        {
            versions.Remove(version);
            _lacking.Remove(version);
        }
    }

    /// <summary>It is there again: of the own work only versions that whoever made it had not seen are missing, if any.</summary>
    private void IsThere(ObjectId made)
    {
        _others.Remove(made);
        if (_versions.TryGetValue(made, out HashSet<VersionId>? lacking) && lacking.Count > 0)
        {
            return;
        }

        _objects.Remove(made);
        _versions.Remove(made);
    }
}
