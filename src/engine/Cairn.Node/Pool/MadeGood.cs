using System.Buffers;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Storage;
using Cairn.Storage.Home;
using Cairn.Storage.Ports;

namespace Cairn.Node.Pool;

/// <summary>Which of the words that forgot this node it has made good, and with whom it was in touch since: a file in the home.</summary>
/// <remarks>
/// A word may have no effect in the pool's log, or none any more, and yet its author's part of the pool went by it. What is lost with
/// the file, or could not be written, is made good once more: that is no harm. docs/formats/pool-home.md.
/// Thread: the engine's loop; <see cref="Knows"/> from any.
/// </remarks>
internal sealed class MadeGood
{
    private const string FileName = "returned";
    private const int BytesMax = 16 << 20;
    private const byte FormatVersion = 1;

    private readonly IDisk _disk;
    private readonly NodeId _self;
    private readonly SortedSet<NodeId> _met = [];
    private volatile HashSet<TransactionId> _words = [];
    private volatile Answer? _known;
    private bool _hasMetAll;

    /// <summary>Reads what was noted.</summary>
    public MadeGood(IDisk disk, NodeId self)
    {
        (_disk, _self) = (disk, self);
        if (SmallFile.Read(disk, FileName, BytesMax).TryGet(out byte[]? kept, out _) && kept is not null)
        {
            Decode(kept);
        }
    }

    /// <summary>Whether something was done about each word that forgot this node.</summary>
    public bool Knows(PoolState state)
    {
        HashSet<TransactionId> words = _words;
        if (_known is not { } known || !ReferenceEquals(known.State, state) || !ReferenceEquals(known.Words, words))
        {
            // With the words it goes by: another thread may put down here what it worked out from those before.
            _known = known = new Answer(state, words, state.ForgottenBy(_self).All(words.Contains));
        }

        return known.IsYes;
    }

    /// <summary>Whether a member had said all that it had when something was last done about these words.</summary>
    public bool HasMet(NodeId member) => _words.Count == 0 || _hasMetAll || _met.Contains(member);

    /// <summary>All is made good that was done by the words of a state of the pool, as far as some members know it.</summary>
    /// <param name="state">The pool.</param>
    /// <param name="met">The members.</param>
    /// <param name="others">All there are beside this node: once all were met there is nothing left.</param>
    public Result<Unit, StoreError> Add(PoolState state, IReadOnlyCollection<NodeId> met, IEnumerable<NodeId> others)
    {
        HashSet<TransactionId> words = [.. state.ForgottenBy(_self)];
        if (!words.SetEquals(_words))
        {
            // Whoever was met before may have gone by the new word since.
            _met.Clear();
            _hasMetAll = false;
        }

        if (words.Count == 0 || _hasMetAll)
        {
            return Unit.Value;
        }

        _met.UnionWith(met);
        _hasMetAll = others.All(_met.Contains);
        _words = words;
        return Save();
    }

    private Result<Unit, StoreError> Save()
    {
        ArrayBufferWriter<byte> output = new(256);
        WireWriter writer = new(output);
        writer.Byte(FormatVersion);
        writer.Count(_words.Count);
        foreach (TransactionId word in _words.Order())
        {
            writer.Bytes32(word.Log.Author.Value);
            writer.UInt32(word.Log.Incarnation);
            writer.VarUInt(word.Seq);
        }

        writer.Boolean(_hasMetAll);
        writer.Count(_met.Count);
        foreach (NodeId member in _met)
        {
            writer.Bytes32(member.Value);
        }

        return SmallFile.Write(_disk, FileName, output.WrittenSpan);
    }

    private void Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        reader.Require(reader.Byte() == FormatVersion);
        HashSet<TransactionId> words = [];
        for (int left = reader.Count(NodeId.Size + sizeof(uint) + 1); left > 0 && !reader.Failed; left--)
        {
            var log = new LogId(new NodeId(reader.Bytes32()), reader.UInt32());
            words.Add(new TransactionId(log, reader.VarUInt()));
        }

        bool hasMetAll = reader.Boolean();
        for (int left = reader.Count(NodeId.Size); left > 0 && !reader.Failed; left--)
        {
            _met.Add(new NodeId(reader.Bytes32()));
        }

        if (reader.Complete)
        {
            (_words, _hasMetAll) = (words, hasMetAll);
        }
        else
        {
            _met.Clear();
        }
    }

    /// <summary>Whether all words of a state of the pool are known, by the words that were when it was worked out.</summary>
    private sealed record Answer(PoolState State, HashSet<TransactionId> Words, bool IsYes);
}
