using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using Cairn.Core.Repair;
using Cairn.Core.Tests.Placement;

namespace Cairn.Core.Tests.Repair;

/// <summary>
/// Six nodes, one record, a copy on each or on half of them, some just written and staged; each believes in one of several tables; every
/// message and every save takes a random time, messages are lost and doubled, nodes crash and lose what they had not made
/// durable. Who has a staged copy asks the others for theirs, and lets go of it when enough have confirmed.
/// </summary>
internal sealed class DropScene
{
    public static readonly RecordKey Key = RecordKey.Copy(new ChunkAddress(PlacementKit.Node(4711).Value));

    private const int Count = 6;
    private static readonly Dictionary<int, PlacementTable> Tables = [];
    private readonly Prng _prng;
    private readonly DropProtocol[] _protocols = new DropProtocol[Count];
    private readonly PlacementTable[] _tables = new PlacementTable[Count];
    private readonly bool[] _holds = new bool[Count];
    private readonly bool[] _staged = new bool[Count];
    private readonly HashSet<int>[] _heldBy = new HashSet<int>[Count];
    private readonly bool[] _durableIntent = new bool[Count];
    private readonly int[] _starts = new int[Count];
    private readonly List<Action> _flying = [];

    public DropScene(ulong seed, bool isCalm = false)
    {
        IsCalm = isCalm;
        _prng = new Prng(seed);
        for (int i = 0; i < Count; i++)
        {
            // Where few have it, two that count on each other are soon one too many.
            _holds[i] = isCalm || seed % 2 == 0 || i % 2 == 0;
            _staged[i] = _holds[i] && _prng.Chance(2);
            Start(i);
            _protocols[i].EndStaging(Key);
        }
    }

    /// <summary>Nothing is lost and nobody crashes.</summary>
    public bool IsCalm { get; }

    public int CopyCount => _holds.Count(holds => holds);

    public void Step()
    {
        int node = _prng.Next(Count);
        switch (_prng.Next(10))
        {
            case 0 when !IsCalm && _prng.Chance(4):
                Start(node);
                break;
            case 1 when !IsCalm && _prng.Chance(2):
                UseSomeTable(node);
                break;
            case 2 when _prng.Chance(3):
                _protocols[node].Abandon(Key, new Effects(this, node));
                break;
            case 3 or 4 when _staged[node]:
                AskHolding(node, _prng.Next(Count));
                break;
            case 3 or 4 when _holds[node] && (_protocols[node].Count == 0 || _prng.Chance(20)):
                _protocols[node].Begin(Key, Nonce(), new Effects(this, node));
                break;
            default:
                Deliver();
                break;
        }
    }

    /// <summary>A node's writer stages the record anew.</summary>
    public void Stage(int node)
    {
        if (!_holds[node])
        {
            (_holds[node], _staged[node]) = (true, true);
            _heldBy[node].Clear();
        }
    }

    /// <summary>Who lacks it would be sent it: that only makes more copies.</summary>
    private void AskHolding(int from, int to)
    {
        int start = _starts[from];
        if (from != to && (!IsCalm || _tables[from].IsHolder(Key.Partition, PlacementKit.Node(to))))
        {
            _flying.Add(() => OnHoldingAsk(from, start, to));
        }
    }

    private void OnHoldingAsk(int from, int start, int to)
    {
        if (Answers(to))
        {
            _flying.Add(() => OnHeld(from, start, to));
        }
    }

    private void OnHeld(int node, int start, int by)
    {
        bool isHolder = _tables[node].IsHolder(Key.Partition, PlacementKit.Node(node));
        if (_starts[node] == start && _staged[node] && _heldBy[node].Add(by)
            && _heldBy[node].Count + (isHolder ? 1 : 0) >= _tables[node].Copies)
        {
            bool isFree = _protocols[node].EndStaging(Key);
            (_staged[node], _holds[node]) = (false, isHolder || !isFree);
        }
    }

    private bool Answers(int node)
    {
        bool answers = _holds[node] && _protocols[node].MayConfirm(Key);
        if (answers && _staged[node])
        {
            _protocols[node].CountOn(Key);
        }

        return answers;
    }

    private void Deliver()
    {
        if (_flying.Count == 0)
        {
            return;
        }

        int index = _prng.Next(_flying.Count);
        Action message = _flying[index];
        bool isDoubled = !IsCalm && _prng.Chance(10);
        bool isLost = !IsCalm && _prng.Chance(10);
        if (!isDoubled)
        {
            _flying.RemoveAt(index);
        }

        if (!isLost)
        {
            message();
        }
    }

    private void Start(int node)
    {
        _starts[node]++;
        _protocols[node] = new DropProtocol(PlacementKit.Node(node));
        if (_durableIntent[node])
        {
            _protocols[node].Restore([Key]);
        }

        _heldBy[node] = [];
        if (_staged[node])
        {
            _protocols[node].CountOn(Key);
        }

        UseSomeTable(node);
    }

    /// <summary>Views of the pool differ: some nodes believe that others are gone.</summary>
    private void UseSomeTable(int node)
    {
        int seen = Enumerable.Range(0, Count)
            .Where(other => IsCalm || other == node || !_prng.Chance(5))
            .Sum(other => 1 << other);
        _tables[node] = TableOf(int.PopCount(seen) < 2 ? (1 << Count) - 1 : seen);
        _protocols[node].UseTable(_tables[node], new Effects(this, node));
    }

    private static PlacementTable TableOf(int seen)
    {
        if (!Tables.TryGetValue(seen, out PlacementTable? table))
        {
            List<PlacementNode> pool = [.. PlacementKit.Equal(Count).Where((_, node) => (seen & (1 << node)) != 0)];
            Tables[seen] = table = PlacementKit.Table(pool, 2);
        }

        return table;
    }

    private Bytes16 Nonce()
    {
        byte[] bytes = new byte[16];
        _prng.Fill(bytes);
        return new Bytes16(bytes);
    }

    private void OnAsk(int asker, int asked, Bytes16 nonce)
    {
        if (Answers(asked))
        {
            NodeId from = PlacementKit.Node(asked);
            _flying.Add(() => _protocols[asker].Confirmed(from, Key, nonce, new Effects(this, asker)));
        }
    }

    private sealed class Effects(DropScene scene, int node) : IDropEffects
    {
        public void SaveIntent(RecordKey key)
        {
            // The disk is done after a while; a crash before that forgets the intent and the wait for it.
            int start = scene._starts[node];
            scene._flying.Add(() =>
            {
                if (scene._starts[node] == start && scene._protocols[node].Intents.Any())
                {
                    scene._durableIntent[node] = true;
                    scene._protocols[node].IntentIsDurable(key, new Effects(scene, node));
                }
            });
        }

        public void Ask(NodeId to, RecordKey key, Bytes16 nonce)
        {
            int asked = Enumerable.Range(0, Count).Single(other => PlacementKit.Node(other) == to);
            scene._flying.Add(() => scene.OnAsk(node, asked, nonce));
        }

        public void Drop(RecordKey key)
        {
            scene._holds[node] = false;
            scene._durableIntent[node] = false;
        }

        public void ForgetIntent(RecordKey key) => scene._durableIntent[node] = false;
    }
}
