using Cairn.Core.Placement;
using Cairn.Core.Primitives;

namespace Cairn.Core.Repair;

/// <summary>
/// What a <see cref="DropProtocol"/> wants done, in the order of the calls. Must not call back into it.
/// </summary>
public interface IDropEffects
{
    /// <summary>
    /// Makes the intent durable, then calls <see cref="DropProtocol.IntentIsDurable"/>. Until then nobody may be asked.
    /// </summary>
    void SaveIntent(RecordKey key);

    /// <summary>Asks a node whether it holds the record and will answer for it.</summary>
    void Ask(NodeId node, RecordKey key, Bytes16 nonce);

    /// <summary>Enough others hold it: removes the record and the intent, durably and together.</summary>
    void Drop(RecordKey key);

    /// <summary>The record stays: removes the intent.</summary>
    void ForgetIntent(RecordKey key);
}

/// <summary>
/// Gives up copies that placement no longer wants here, such that no two nodes ever rely on each other's.
/// </summary>
/// <remarks>
/// A challenge alone is not enough: A may drop because B has it while B drops because A has it. So a node first enters
/// a durable intent, and while in it confirms the record to nobody; only then it asks; and it drops when as many nodes
/// as there should be copies have confirmed. Of all nodes that drop a record around the same time, the one whose intent
/// began last asked everybody after all other intents had begun, so those who confirmed to it never drop: the copies
/// that should be there remain. That needs no clock and no leader; docs/decisions/dropping-copies.md has the proof. A
/// copy that is staged, because it was just written here, needs no intent as long as nobody counts on it. Invariants:
/// an intent exists only for a record outside of this node's placement; a confirmation counts only for the very intent
/// whose nonce it answers, once per node, never this node's own.
/// Thread: driver only.
/// </remarks>
public sealed class DropProtocol(NodeId self)
{
    private readonly SortedDictionary<RecordKey, Intent> _intents = [];
    private readonly HashSet<RecordKey> _countedOn = [];
    private PlacementTable _table = PlacementTable.Empty;

    private enum Phase
    {
        Saving,
        Asking,
    }

    /// <summary>How many intents are open.</summary>
    public int Count => _intents.Count;

    /// <summary>The records in intent, in order.</summary>
    public IEnumerable<RecordKey> Intents => _intents.Keys;

    /// <summary>Whether this node may tell another one that it holds a record.</summary>
    /// <remarks>
    /// The caller checks that it does: an owed copy (staged or replicated) whose whole address was verified since it
    /// was last written to disk. A cached copy is never confirmed, because it is evicted without asking anybody.
    /// </remarks>
    public bool MayConfirm(RecordKey key) => !_intents.ContainsKey(key);

    /// <summary>
    /// Somebody may count on a staged copy: it was confirmed, or may have been before a restart, or was no staged one then.
    /// </summary>
    public void CountOn(RecordKey key) => _countedOn.Add(key);

    /// <summary>A copy is staged no more.</summary>
    /// <returns>
    /// Whether it may be let go of without an intent, when enough others have it. If not, and placement does not want it
    /// here, it is a stray.
    /// </returns>
    public bool EndStaging(RecordKey key) => !_countedOn.Remove(key);

    /// <summary>
    /// After a restart: intents that were durable are in force again, and not asked about until <see cref="Begin"/>.
    /// </summary>
    public void Restore(IEnumerable<RecordKey> keys)
    {
        foreach (RecordKey key in keys)
        {
            _intents.TryAdd(key, new Intent(default, 0) { Phase = Phase.Saving });
        }
    }

    /// <summary>Takes a new table; intents for records that this node should hold again are given up.</summary>
    public void UseTable(PlacementTable table, IDropEffects effects)
    {
        _table = table;
        foreach (RecordKey key in _intents.Keys.Where(key => table.AnswersFor(key.Partition, self)).ToList())
        {
            Abandon(key, effects);
        }
    }

    /// <summary>
    /// Begins to give up a copy; does nothing when placement wants it here or nobody else should have it.
    /// </summary>
    /// <param name="key">A record this node holds, owed or stray; never a staged one.</param>
    /// <param name="nonce">Fresh random bits, sent only after the intent is durable.</param>
    /// <param name="effects">What to do.</param>
    public void Begin(RecordKey key, Bytes16 nonce, IDropEffects effects)
    {
        if (_table.Copies == 0 || _table.AnswersFor(key.Partition, self))
        {
            return;
        }

        _intents[key] = new Intent(nonce, _table.Copies) { Phase = Phase.Saving };
        effects.SaveIntent(key);
    }

    /// <summary>The intent survives a crash now: the nodes that should hold the record are asked.</summary>
    public void IntentIsDurable(RecordKey key, IDropEffects effects)
    {
        if (!_intents.TryGetValue(key, out Intent? intent) || intent.Phase != Phase.Saving || intent.Needed == 0)
        {
            return;
        }

        intent.Phase = Phase.Asking;
        foreach (NodeId node in _table.Order(key.Partition))
        {
            if (node != self)
            {
                effects.Ask(node, key, intent.Nonce);
            }
        }
    }

    /// <summary>A node proved that it holds the record and is not in intent for it itself.</summary>
    /// <param name="node">Who; the proof was checked with <see cref="DropProof"/>.</param>
    /// <param name="key">Which record.</param>
    /// <param name="nonce">The nonce it answered.</param>
    /// <param name="effects">What to do.</param>
    public void Confirmed(NodeId node, RecordKey key, Bytes16 nonce, IDropEffects effects)
    {
        if (node == self
            || !_intents.TryGetValue(key, out Intent? intent)
            || intent.Phase != Phase.Asking
            || intent.Nonce != nonce
            || !intent.Confirmed.Add(node)
            || intent.Confirmed.Count < Math.Max(intent.Needed, _table.Copies))
        {
            return;
        }

        _intents.Remove(key);
        effects.Drop(key);
    }

    /// <summary>
    /// Not enough nodes confirmed, or the attempt takes too long: the copy stays and may be offered to its holders.
    /// </summary>
    public void Abandon(RecordKey key, IDropEffects effects)
    {
        if (_intents.Remove(key))
        {
            effects.ForgetIntent(key);
        }
    }

    private sealed class Intent(Bytes16 nonce, int needed)
    {
        public Bytes16 Nonce { get; } = nonce;

        public int Needed { get; } = needed;

        public Phase Phase { get; set; }

        public HashSet<NodeId> Confirmed { get; } = [];
    }
}
