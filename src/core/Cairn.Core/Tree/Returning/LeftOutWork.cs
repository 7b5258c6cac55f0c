using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;

namespace Cairn.Core.Tree.Returning;

/// <summary>Finds what a settled checkpoint was made without, by the tree of a member that had it.</summary>
/// <remarks>
/// The checkpoint may have forgotten objects, and the logs that say why may be gone: then neither says what an edit was about that
/// comes to light now. The one who knows is a member that had the edit in its tree before it stood on the checkpoint. Whoever
/// wrote it: members that were away together have each other's work, and one of them may never be back.
/// Source: docs/decisions/absent-history.md.
/// </remarks>
public sealed class LeftOutWork
{
    private readonly SortedSet<ObjectId> _objects = [];
    private readonly HashSet<VersionId> _versions = [];
    private readonly UndoRecorder _state;
    private readonly TreeApplier _applier;
    private readonly LogPositions _had;
    private readonly LogPositions _settled;
    private readonly NodeId _self;

    /// <summary>Looks at nothing yet.</summary>
    /// <param name="table">The table that the member had; it is written to.</param>
    /// <param name="settled">What the checkpoint has.</param>
    /// <param name="self">The member.</param>
    /// <param name="rights">Whose work counts.</param>
    public LeftOutWork(ITreeTable table, LogPositions settled, NodeId self, WriteRights rights)
    {
        _applier = new TreeApplier { Rights = rights };
        _had = new OrderedFold(table, _applier).Positions;
        (_state, _settled, _self) = (new UndoRecorder(table) { Recording = false }, settled, self);
        Tree = new TreeQueries(table);
    }

    /// <summary>The tree that the member had, and what was done to that since.</summary>
    public TreeQueries Tree { get; }

    /// <summary>What the work was about, in the order of the ids; most of it is there all the same.</summary>
    public IReadOnlyCollection<ObjectId> Objects => _objects;

    /// <summary>Whether a version is of this work: who made its file again meanwhile may not have had it.</summary>
    public bool HasWritten(VersionId version) => _versions.Contains(version);

    /// <summary>Takes the next transaction in the total order; what the checkpoint has is passed over.</summary>
    public void See(Transaction transaction)
    {
        if (_settled.Contains(transaction.Id))
        {
            return;
        }

        bool isNew = !_had.Contains(transaction.Id);
        if (isNew && SwallowedWork.ForgetsNothing(transaction))
        {
            // Who saw an object again, and removed it, is obeyed; a draft from before the checkpoint was named after it.
            _applier.Apply(transaction, _state);
        }

        if (!isNew || transaction.Id.Log.Author == _self)
        {
            NoteAll(transaction);
        }
    }

    private void NoteAll(Transaction transaction)
    {
        foreach (Primitive primitive in transaction.Primitives)
        {
            switch (primitive)
            {
                case WriteVersion write:
                    _objects.Add(write.Object);
                    _versions.Add(write.Version);
                    break;
                case Place place:
                    _objects.Add(place.Object);
                    break;
                case Move move:
                    _objects.Add(move.Object);
                    break;
                default:
                    break;
            }
        }
    }
}
