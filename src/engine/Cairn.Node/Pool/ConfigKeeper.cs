using Cairn.Coding.Encryption;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Peers;

namespace Cairn.Node.Pool;

/// <summary>Keeps in the home what this node needs to find its pool again: the keys, and who the members are.</summary>
internal sealed class ConfigKeeper
{
    private readonly NodePorts _ports;
    private readonly NodeDiary _diary;
    private PoolConfig _config;
    private SortedSet<NodeId> _remembered;

    /// <summary>Takes up what the home remembers.</summary>
    public ConfigKeeper(NodePorts ports, PoolConfig config, NodeDiary diary)
    {
        (_ports, _config, _diary) = (ports, config, diary);
        Records = [.. Decode(config, ports.CheckSignature)];
        _remembered = [.. Remembered];
    }

    /// <summary>The members' records when this node last looked, its own among them.</summary>
    public IReadOnlyList<SignedNodeRecord> Records { get; }

    /// <summary>Those who were members then.</summary>
    public IEnumerable<NodeId> Remembered => Records.Select(static record => record.Record.Node);

    /// <summary>Keeps the pool's keys, sealed to this node.</summary>
    public void SaveKeyring(VolumeKeyring keyring) =>
        Keep(_config with { SealedKeyring = PoolKeys.SealToSelf(_ports, _config.Pool, keyring) });

    /// <summary>Keeps the members' records where damage to the pool's log does not reach them: it is they who can mend it.</summary>
    /// <remarks>At once when one comes: of a founder's log only who was let in a moment ago has another copy.</remarks>
    public void RememberMembers(PoolView view)
    {
        SignedNodeRecord[] members = [.. view.Map.Records.Where(record => view.IsMember(record.Record.Node))];
        if (!_remembered.SetEquals(members.Select(record => record.Record.Node)))
        {
            _remembered = [.. members.Select(record => record.Record.Node)];
            Keep(_config with { Records = [.. members.Select(record => record.Bytes)] });
        }
    }

    private static IEnumerable<SignedNodeRecord> Decode(PoolConfig config, SignatureCheck check)
    {
        foreach (ReadOnlyMemory<byte> bytes in config.Records)
        {
            if (NodeRecordCodec.Decode(bytes.Span, check).TryGet(out SignedNodeRecord? record, out _))
            {
                yield return record;
            }
        }
    }

    private void Keep(PoolConfig changed)
    {
        _config = changed;
        _diary.AddFailure(changed.Save(_ports.Disk));
    }
}
