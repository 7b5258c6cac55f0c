using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Immutable;
using Cairn.Core.Fold.Seen;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Fold;

/// <summary>
/// What has been accepted: per log the last transaction and the depths, and the heads of the history.
/// </summary>
internal sealed class FoldLogs
{
    private const byte LogTag = (byte)'L';
    private const byte HeadsTag = (byte)'H';
    private const int LogKeySize = 2 + NodeId.Size + 4;

    private readonly SortedDictionary<LogId, LogDepths> _logs = [];
    private readonly List<TransactionId> _heads = [];
    private LogId _lastLog;
    private LogDepths? _lastDepths;

    /// <summary>As it was before the logs in <see cref="_moved"/> went on; null when it is to be made anew.</summary>
    private LogPositions? _positions;
    private readonly HashSet<LogId> _moved = [];
    private bool _areHeadsDirty = true;

    internal IReadOnlyList<TransactionId> Heads => _heads;

    /// <summary>What is not in this is at least as deep; null for nothing.</summary>
    internal FoldGround? Ground { get; set; }

    internal ulong LastOf(LogId log) => Find(log)?.Last ?? 0;

    internal bool Has(TransactionId id) => id.Seq <= LastOf(id.Log);

    /// <summary>The depth of an accepted transaction; 0 if it was forgotten.</summary>
    internal ulong DepthOf(TransactionId id) => Find(id.Log)?[id.Seq] ?? 0;

    /// <summary>Begins a log in the middle: its history before is only a state.</summary>
    internal void StartAt(TransactionId last, ulong depth)
    {
        _logs.Add(last.Log, LogDepths.StartAt(last.Seq, depth));
        int at = _heads.BinarySearch(last);
        _heads.Insert(~at, last);
        (_positions, _areHeadsDirty) = (null, true);
    }

    /// <summary>The greatest place in the order of any log's last transaction.</summary>
    internal TransactionOrder Greatest()
    {
        TransactionOrder greatest = default;
        foreach ((LogId log, LogDepths depths) in _logs)
        {
            var order = new TransactionOrder(depths[depths.Last], new TransactionId(log, depths.Last));
            greatest = order > greatest ? order : greatest;
        }

        return greatest;
    }

    internal LogPositions Positions()
    {
        _positions ??= LogPositions.From(
            _logs.Where(log => log.Value.Last > 0)
                .Select(log => KeyValuePair.Create(log.Key, new LogPosition(0, log.Value.Last))));
        foreach (LogId log in _moved)
        {
            _positions = _positions.With(log, new LogPosition(0, LastOf(log)));
        }

        _moved.Clear();
        return _positions;
    }

    internal ImmutableArray<TransactionId> HeadsWithout(LogId log)
    {
        if (_heads.Count == 0 || (_heads.Count == 1 && _heads[0].Log == log))
        {
            return [];
        }

        return [.. _heads.Where(head => head.Log != log)];
    }

    /// <summary>The first thing a transaction depends on that is not accepted yet, or null.</summary>
    internal TransactionId? MissingOf(Transaction transaction)
    {
        TransactionId id = transaction.Id;
        if (id.Seq != LastOf(id.Log) + 1)
        {
            return id with { Seq = id.Seq - 1 };
        }

        foreach (TransactionId dependency in transaction.Dependencies)
        {
            if (!Has(dependency))
            {
                return dependency;
            }
        }

        return null;
    }

    /// <summary>Its place in the order, or null when that depends on something long forgotten.</summary>
    /// <remarks>
    /// Its author may have seen less of one log than is fixed, and more of another: of what was forgotten it is known that
    /// it is not as deep as what is known of the same log. What is behind a settled checkpoint is at least as deep as that.
    /// </remarks>
    internal TransactionOrder? OrderOf(Transaction transaction)
    {
        ulong depth = 0;
        if (transaction.Id.Seq > 1)
        {
            depth = Find(transaction.Id.Log)![transaction.Id.Seq - 1];
            if (depth == 0)
            {
                return null;
            }
        }

        ulong forgotten = 0;
        foreach (TransactionId dependency in transaction.Dependencies)
        {
            LogDepths depths = Find(dependency.Log)!;
            ulong of = depths[dependency.Seq];
            depth = Math.Max(depth, of);
            forgotten = Math.Max(forgotten, of == 0 ? depths[depths.First] - 1 : 0);
        }

        bool isBehind = Ground is { } ground && !ground.Positions.Contains(transaction.Id);
        ulong place = isBehind ? Math.Max(depth + 1, Ground!.Depth) : depth + 1;
        return forgotten >= place ? null : new TransactionOrder(place, transaction.Id);
    }

    /// <summary>The place of an accepted transaction; null for one that is not there, or fixed and forgotten.</summary>
    internal TransactionOrder? PlaceOf(TransactionId id) =>
        Find(id.Log) is { } depths && id.Seq <= depths.Last && depths[id.Seq] is > 0 and ulong depth
            ? new TransactionOrder(depth, id)
            : null;

    /// <summary>How many were accepted since this was made or loaded.</summary>
    internal long AcceptedCount { get; private set; }

    /// <summary>Notes a transaction whose dependencies are all there; null when they are not.</summary>
    internal TransactionOrder? Accept(Transaction transaction)
    {
        if (MissingOf(transaction) is not null || OrderOf(transaction) is not { } order)
        {
            return null;
        }

        Accept(transaction, order);
        return order;
    }

    /// <summary>Notes a transaction at the place that <see cref="OrderOf"/> gave.</summary>
    internal void Accept(Transaction transaction, TransactionOrder order)
    {
        TransactionId id = transaction.Id;
        if (Find(id.Log) is not { } depths)
        {
            _logs.Add(id.Log, depths = new LogDepths());
        }

        AcceptedCount++;
        depths.Append(id.Seq, order.Depth);
        for (int i = _heads.Count - 1; i >= 0; i--)
        {
            TransactionId head = _heads[i];
            if ((head.Log == id.Log && head.Seq < id.Seq) || transaction.Dependencies.Contains(head))
            {
                _heads.RemoveAt(i);
            }
        }

        int at = _heads.BinarySearch(id);
        _heads.Insert(~at, id);
        _areHeadsDirty = true;
        _moved.Add(id.Log);
    }

    /// <summary>Whether everything whose depth was forgotten, and the first of each log that was not, is within.</summary>
    internal bool IsForgottenWithin(LogPositions stable)
    {
        foreach ((LogId log, LogDepths depths) in _logs)
        {
            if (depths.First > stable[log].TransactionSeq)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The greatest place of what is within some positions, as far as depths are known.</summary>
    internal TransactionOrder Greatest(LogPositions positions)
    {
        TransactionOrder greatest = default;
        foreach ((LogId log, LogPosition position) in positions.Logs)
        {
            if (Find(log) is not { Last: > 0 } depths)
            {
                continue;
            }

            ulong seq = Math.Min(position.TransactionSeq, depths.Last);
            ulong depth = seq == 0 ? 0 : depths[seq];
            if (depth > 0)
            {
                var order = new TransactionOrder(depth, new TransactionId(log, seq));
                greatest = order > greatest ? order : greatest;
            }
        }

        return greatest;
    }

    /// <summary>Whether of every log all that is less deep than this is either fixed or within what was reached of it.</summary>
    internal bool AreReached(ulong depth, TransactionOrder cut, Dictionary<LogId, ulong> reached)
    {
        foreach ((LogId log, LogDepths depths) in _logs)
        {
            // Null: what there is of it is forgotten, so fixed.
            if (depths.LastBefore(depth) is > 0 and ulong last && last > reached.GetValueOrDefault(log)
                && new TransactionOrder(depths[last], new TransactionId(log, last)) > cut)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether exactly that was reached, of what is up to a branch's place, that the branch has.</summary>
    /// <param name="branch">Of its history, everything is accepted and applied.</param>
    /// <param name="cut">Up to where everything is fixed, and reached.</param>
    /// <param name="reached">By what comes behind the place.</param>
    internal bool AreReached(SeenBranch branch, TransactionOrder cut, Dictionary<LogId, ulong> reached)
    {
        foreach ((LogId log, ulong unseen) in branch.Unseen)
        {
            if (reached.GetValueOrDefault(log) >= unseen)
            {
                return false;
            }
        }

        if (reached.GetValueOrDefault(branch.Witness.Log) >= branch.Witness.Seq)
        {
            // What this had seen has been seen.
            return true;
        }

        TransactionOrder place = branch.Place;
        foreach ((LogId log, LogDepths depths) in _logs)
        {
            ulong far = reached.GetValueOrDefault(log);
            bool isInPart = branch.Unseen.TryGetValue(log, out ulong unseen);

            // In the depth of the place itself the logs come in the order of their ids.
            ulong? last = isInPart ? unseen - 1 : depths.LastBefore(log > place.Id.Log ? place.Depth : place.Depth + 1);
            if (last is > 0 and ulong seen && seen > far
                && new TransactionOrder(depths[seen], new TransactionId(log, seen)) > cut)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Forgets depths before a cut in the order; each log's last one in it stays known.</summary>
    internal void Forget(TransactionOrder cut)
    {
        foreach ((LogId log, LogDepths depths) in _logs)
        {
            // In the depth of the cut itself the logs come in the order of their ids.
            if (depths.LastBefore(log > cut.Id.Log ? cut.Depth : cut.Depth + 1) is > 0 and ulong last)
            {
                depths.ForgetBefore(last);
            }
        }
    }

    /// <summary>The logs as somebody has them who knows nothing but the state before a depth.</summary>
    /// <returns>Null if it is not known any more how far some log went.</returns>
    internal FoldLogs? Before(ulong depth)
    {
        var before = new FoldLogs();
        foreach ((LogId log, LogDepths depths) in _logs)
        {
            switch (depths.LastBefore(depth))
            {
                case null:
                    return null;
                case > 0 and ulong last:
                    before.StartAt(new TransactionId(log, last), depths[last]);
                    break;
                default:
                    break;
            }
        }

        return before;
    }

    /// <summary>Forgets the depths of one log before a transaction.</summary>
    internal void Forget(TransactionId id) => Find(id.Log)!.ForgetBefore(id.Seq);

    internal void Save(ITreeTable table)
    {
        Span<byte> key = stackalloc byte[LogKeySize];
        foreach ((LogId log, LogDepths depths) in _logs)
        {
            if (!depths.Dirty)
            {
                continue;
            }

            LogKey(key, log);
            var output = new ArrayBufferWriter<byte>(32);
            depths.Encode(new WireWriter(output));
            table.Put(key, output.WrittenSpan.ToArray());
            depths.Dirty = false;
        }

        if (!_areHeadsDirty)
        {
            return;
        }

        var heads = new ArrayBufferWriter<byte>(64);
        var writer = new WireWriter(heads);
        writer.Count(_heads.Count);
        foreach (TransactionId head in _heads)
        {
            TransactionCodec.EncodeId(writer, head);
        }

        table.Put([FoldKeys.Reserved, HeadsTag], heads.WrittenSpan.ToArray());
        _areHeadsDirty = false;
    }

    internal static FoldLogs Load(ITableSource table)
    {
        var logs = new FoldLogs { Ground = FoldGround.In(table) };
        TableCursor cursor = table.Scan([FoldKeys.Reserved, LogTag], [FoldKeys.Reserved, LogTag + 1]);
        while (cursor.MoveNext())
        {
            var reader = new WireReader(cursor.Value);
            LogDepths depths = LogDepths.Decode(ref reader);
            Invariant.That(reader.Complete && cursor.Key.Length == LogKeySize,
                "a fold's log record is damaged: rebuild the index");
            logs._logs.Add(LogOf(cursor.Key), depths);
        }

        if (table.Get([FoldKeys.Reserved, HeadsTag]) is { } heads)
        {
            var reader = new WireReader(heads);
            int count = reader.Count(NodeId.Size + 2);
            for (int i = 0; i < count; i++)
            {
                logs._heads.Add(TransactionCodec.DecodeId(ref reader));
            }

            Invariant.That(reader.Complete, "a fold's heads record is damaged: rebuild the index");
            logs._areHeadsDirty = false;
        }

        return logs;
    }

    private LogDepths? Find(LogId log)
    {
        if (_lastDepths is not null && log == _lastLog)
        {
            return _lastDepths;
        }

        if (_logs.TryGetValue(log, out LogDepths? depths))
        {
            (_lastLog, _lastDepths) = (log, depths);
        }

        return depths;
    }

    private static void LogKey(Span<byte> key, LogId log)
    {
        key[0] = FoldKeys.Reserved;
        key[1] = LogTag;
        log.Author.Value.CopyTo(key[2..]);
        BinaryPrimitives.WriteUInt32BigEndian(key[(2 + NodeId.Size)..], log.Incarnation);
    }

    private static LogId LogOf(ReadOnlySpan<byte> key) => new(
        new NodeId(key.Slice(2, NodeId.Size)), BinaryPrimitives.ReadUInt32BigEndian(key[(2 + NodeId.Size)..]));
}
