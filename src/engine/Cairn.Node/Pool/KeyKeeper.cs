using System.Collections.Immutable;
using Cairn.Coding.Encryption;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Peers;

namespace Cairn.Node.Pool;

/// <summary>Brings keys to every member that should have them, and makes a new one where the last was given away.</summary>
/// <remarks>
/// A newcomer gets the keys that its host has; a volume made meanwhile elsewhere, a host without keys, or a crash between a
/// revocation and the new key leave gaps. Any holder closes them: the first one, by id, that is up. A grant that is there
/// already stands, so it does no harm when two do. Thread: the engine's loop.
/// </remarks>
internal sealed class KeyKeeper(NodePorts ports, PoolView view, PoolLog log, NodeDiary diary)
{
    private const int GrantsMax = 512;
    private PoolState? _done;

    /// <summary>Looks what is missing, and grants what this node should.</summary>
    public void Look()
    {
        PoolState state = log.State;
        if (ReferenceEquals(state, _done) || !state.IsActive(view.Self))
        {
            return;
        }

        // What nobody was granted by a word that has effect came from somebody who may not, and is passed on to nobody.
        HashSet<EpochId> granted = [];
        foreach (KeyGrant grant in state.KeysOf(log.Volume))
        {
            granted.Add(grant.Epoch);
        }

        bool isComplete = Keep(log.Volume, null, log.Keyring.Epochs.Where(epoch => granted.Contains(epoch.Id)));
        foreach (PoolVolume volume in state.CompleteVolumes)
        {
            if (KeyGrants.Keyring(ports.Identity, state, volume.Volume) is { } ring)
            {
                isComplete &= Keep(volume.Volume, ring.Dedup, ring.Epochs);
            }
        }

        _done = isComplete ? state : null;
    }

    /// <summary>One volume's keys; true when nothing is missing.</summary>
    private bool Keep(VolumeId volume, DedupSecret? dedup, IEnumerable<EpochKey> epochs)
    {
        PoolState state = log.State;
        List<(EpochId Epoch, byte[] Key)> keys = [.. epochs.Select(epoch => (epoch.Id, epoch.Bytes.ToArray()))];
        if (dedup is not null)
        {
            keys.Add((default, dedup.Bytes.ToArray()));
        }

        EpochId? current = KeyGrants.CurrentEpoch(state, volume);
        if (current is null)
        {
            keys.Add((new EpochId(ports.RandomBytes(EpochId.Size)), ports.RandomBytes(EpochKey.Size)));
        }

        HashSet<(EpochId, NodeId)> granted = [];
        foreach (KeyGrant grant in state.KeysOf(volume))
        {
            granted.Add((grant.Epoch, grant.Recipient));
        }

        (Member Member, EpochId Epoch, byte[] Key)[] missing =
        [
            .. keys.SelectMany(key => state.Members.Values
                .Where(member => KeyGrants.MayHold(member) && !granted.Contains((key.Epoch, member.Node)))
                .Select(member => (member, key.Epoch, key.Key)))
                .Take(GrantsMax),
        ];
        if (missing.Length > 0 && IsFirstHolder(volume, granted))
        {
            Grant(volume, missing, granted);
        }

        return missing.Length == 0;
    }

    private void Grant(
        VolumeId volume, (Member Member, EpochId Epoch, byte[] Key)[] missing, HashSet<(EpochId, NodeId)> granted)
    {
        ImmutableArray<Primitive> grants =
        [
            .. missing.Select(gap => KeyGrants.Wrap(
                ports.Identity, ports.Entropy, gap.Member.Node, gap.Member.PublicKey.AsSpan(), volume,
                gap.Epoch, gap.Key)),
        ];

        // The pool's own key cannot come sealed under itself: an epoch that all who lack it hold, if there is one.
        EpochId older = log.Keyring.Epochs.Select(epoch => epoch.Id)
            .FirstOrDefault(epoch => Array.TrueForAll(missing, gap => granted.Contains((epoch, gap.Member.Node))));
        bool isPool = volume == log.Volume && older != default;
        if (log.Append(grants, isPool ? older : null).TryGet(out _, out Storage.StoreError error))
        {
            string names = string.Join(", ", missing.Select(gap => gap.Member.Name).Distinct(StringComparer.Ordinal));
            diary.Add(LogLevel.Info, "keys", $"keys of {volume.Short} are granted to {names}");
        }
        else
        {
            diary.Add(LogLevel.Error, "keys", error.ToString());
        }
    }

    private bool IsFirstHolder(VolumeId volume, HashSet<(EpochId Epoch, NodeId Node)> granted) =>
        granted.Select(grant => grant.Node).Append(view.Self).Distinct().Order()
            .First(node => node == view.Self
                || (view.IsMember(node) && view.LivenessOf(node) == Liveness.Alive && view.CanRead(volume, node)))
        == view.Self;
}
