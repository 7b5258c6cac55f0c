using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using Cairn.Core.Repair;
using Cairn.Core.Tests.Placement;

namespace Cairn.Core.Tests.Repair;

/// <summary>
/// Six nodes, one record, a copy on each; each believes in one of several tables; every message and every save takes a
/// random time, messages are lost and doubled, nodes crash and lose what they had not made durable.
/// </summary>
internal sealed class DropScene
{
    public static readonly RecordKey Key = RecordKey.Copy(new ChunkAddress(PlacementKit.Node(4711).Value));

    private const int Count = 6;
    private static readonly Dictionary<int, PlacementTable> Tables = [];
    private readonly Prng _prng;
    private readonly DropProtocol[] _protocols = new DropProtocol[Count];
    private readonly bool[] _holds = new bool[Count];
    private readonly bool[] _durableIntent = new bool[Count];
    private readonly int[] _starts = new int[Count];
    private readonly List<Action> _flying = [];

    public DropScene(ulong seed, bool isCalm = false)
    {
        IsCalm = isCalm;
        _prng = new Prng(seed);
        for (int i = 0; i < Count; i++)
        {
            _holds[i] = true;
            Start(i);
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
            case 3 or 4 when _holds[node] && (_protocols[node].Count == 0 || _prng.Chance(20)):
                _protocols[node].Begin(Key, Nonce(), new Effects(this, node));
                break;
            default:
                Deliver();
                break;
        }
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

        UseSomeTable(node);
    }

    /// <summary>Views of the pool differ: some nodes believe that others are gone.</summary>
    private void UseSomeTable(int node)
    {
        int seen = Enumerable.Range(0, Count)
            .Where(other => IsCalm || other == node || !_prng.Chance(5))
            .Sum(other => 1 << other);
        _protocols[node].UseTable(TableOf(int.PopCount(seen) < 2 ? (1 << Count) - 1 : seen), new Effects(this, node));
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
        if (_holds[asked] && _protocols[asked].MayConfirm(Key))
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
