using System.Buffers;
using System.Buffers.Text;
using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Text;
using Cairn.Core.Tree;
using Cairn.Node.Logs;
using Cairn.Node.Volumes;

namespace Cairn.Node.Engine.Past;

/// <summary>Reads a volume's changes out of its logs.</summary>
/// <remarks>
/// A position is a cut through the logs, so it means the same on every node. Paths are those of now: the logs name objects,
/// and a reader wants to find them. Of what was removed and is collected nothing is known any more, and nothing is told but
/// its removal from a folder that is still known.
/// </remarks>
internal sealed class ChangeFeed(VolumeState state) : IVolumeFeed
{
    private const int StepBytes = 1 << 20;

    /// <inheritdoc/>
    public string Now => Encode(state.Parts.Log.Positions);

    /// <inheritdoc/>
    public Result<ChangeStep, VolumeError> After(string position)
    {
        if (Decode(position) is not { } from)
        {
            return VolumeError.InvalidArgument;
        }

        ReplicatedLog log = state.Parts.Log;
        if (!log.Compaction.Beginnings.Beyond(from).Equals(LogBeginnings.None))
        {
            return VolumeError.BeforeBeginning;
        }

        CausalReader reader = new(from);
        IReadOnlyList<OpenedBlock> taken = [];
        int read = 0;

        // What is first in one log may wait for what is last in another: then more is read at once.
        for (int bytes = StepBytes; taken.Count == 0; bytes *= 4)
        {
            IReadOnlyList<HeldBlock> held = log.BlocksAfter(from, bytes);
            taken = reader.Take([.. held.Select(Open).OfType<OpenedBlock>()]);
            if (held.Count == read || bytes > int.MaxValue / 4)
            {
                break;
            }

            read = held.Count;
        }

        List<VolumeChange> changes = [];
        lock (state.Gate)
        {
            FolderPaths paths = new(state.Queries);
            foreach (OpenedBlock block in taken)
            {
                bool isSetAside = log.Quarantine.Holds(block.Log, block.Position.BlockSeq);
                foreach (Transaction transaction in isSetAside ? [] : block.Transactions)
                {
                    changes.AddRange(transaction.Primitives.Select(primitive => Of(transaction, primitive, paths))
                        .OfType<VolumeChange>());
                }
            }
        }

        return new ChangeStep(changes, Encode(reader.Position), taken.Count == 0);
    }

    private OpenedBlock? Open(HeldBlock held) =>
        LogBlockCodec.Decode(held.Bytes).TryGet(out LogBlock? block, out _)
        && BlockPayload.Open(state.Keys, block).TryGet(out ImmutableArray<Transaction> transactions, out _)
            ? new OpenedBlock(held.Log, held.Position, transactions)
            : null;

    private VolumeChange? Of(Transaction transaction, Primitive primitive, FolderPaths paths)
    {
        string? PathOf(ObjectId id) => paths.Of(id) is { Length: > 0 } path ? path
            : id == TreeQueries.Root ? string.Empty : null;

        // Null: the folder is not known any more.
        string? At(ObjectId parent, ReadOnlyMemory<byte> name) =>
            PathOf(parent) is null ? null : paths.Of(parent, name);

        (ChangeKind Kind, string? Path, string? From)? change = primitive switch
        {
            Place place => (ChangeKind.Created, At(place.Parent, place.Name), null),
            WriteVersion write => (ChangeKind.Written, PathOf(write.Object), null),
            Move move when WholeFiles.IsUnfinished(NameText.Of(move.FromName.Span)) => (
                move.Replaced is null ? ChangeKind.Created : ChangeKind.Written,
                At(move.ToParent, move.ToName), null),
            Move move => (
                ChangeKind.Moved, At(move.ToParent, move.ToName), At(move.FromParent, move.FromName)),
            Exchange exchange => (
                ChangeKind.Moved, At(exchange.SecondParent, exchange.SecondName),
                At(exchange.FirstParent, exchange.FirstName)),
            Unplace unplace => (ChangeKind.Removed, At(unplace.Parent, unplace.Name), null),
            SetAttributes set => (ChangeKind.Attributes, PathOf(set.Object), null),
            SetExtendedAttribute set => (ChangeKind.Attributes, PathOf(set.Object), null),
            SetRule set => (ChangeKind.Attributes, PathOf(set.Object), null),
            DiscardHeads discard => (ChangeKind.Resolved, PathOf(discard.Object), null),
            _ => null,
        };
        NodeId author = transaction.Id.Log.Author;
        return change is { Path: { } path } found && !WholeFiles.IsUnfinished(path)
            ? new VolumeChange(
                found.Kind, path, found.From, transaction.Claimed, author, state.Queries.ShownAuthor(author))
            : null;
    }

    private static string Encode(LogPositions positions)
    {
        ArrayBufferWriter<byte> output = new(64);
        positions.Encode(new WireWriter(output));
        return Base64Url.EncodeToString(output.WrittenSpan);
    }

    private static LogPositions? Decode(string text)
    {
        if (text.Length == 0)
        {
            return LogPositions.Empty;
        }

        if (!Base64Url.IsValid(text))
        {
            return null;
        }

        WireReader reader = new(Base64Url.DecodeFromChars(text));
        LogPositions positions = LogPositions.Decode(ref reader);
        return reader.Complete ? positions : null;
    }
}
