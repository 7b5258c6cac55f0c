using System.Collections.Immutable;
using Cairn.Coding.Encryption;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Ports;

namespace Cairn.Node.Pool;

/// <summary>Keys of volumes, wrapped to members in the pool's log, and opened from it.</summary>
/// <remarks>
/// A volume's dedup secret is granted as the key of the epoch whose id is all zeros. The current epoch is computed, not said:
/// of the epochs that no revoked member was granted or granted others, the one with the smallest id; those that an admin
/// made go before all others, or any member could make one that it alone shares with each. So a revocation ends every epoch
/// the revoked one knew, on all nodes alike, and the next writer makes a new one. Source: docs/decisions/authority.md.
/// </remarks>
internal static class KeyGrants
{
    /// <summary>Wraps a key for one member.</summary>
    public static GrantKey Wrap(
        IIdentity granter, IEntropy entropy, NodeId recipient, ReadOnlySpan<byte> recipientKey, VolumeId volume, EpochId epoch,
        ReadOnlySpan<byte> key)
    {
        Span<byte> shared = stackalloc byte[KeyWrap.SharedSecretSize];
        bool agreed = granter.TryAgree(recipientKey, shared);
        Invariant.That(agreed, $"the key of {recipient.Short} was checked when it was granted");
        Span<byte> salt = stackalloc byte[KeyWrap.SaltSize];
        entropy.Fill(salt);
        byte[] wrapped = KeyWrap.Wrap(shared, salt, Context(volume, epoch, granter.Node, recipient), key);
        return new GrantKey(volume, epoch, recipient, wrapped);
    }

    /// <summary>Opens a key that a member granted to this node; null if it is not what it says.</summary>
    public static byte[]? Open(IIdentity self, ReadOnlySpan<byte> granterKey, KeyGrant grant)
    {
        Span<byte> shared = stackalloc byte[KeyWrap.SharedSecretSize];
        if (!self.TryAgree(granterKey, shared))
        {
            return null;
        }

        byte[] context = Context(grant.Volume, grant.Epoch, grant.Granter, grant.Recipient);
        return KeyWrap.Unwrap(shared, context, grant.Wrapped.AsSpan()).TryGet(out byte[]? key, out _)
            && key.Length == EpochKey.Size
            ? key
            : null;
    }

    /// <summary>The keyring of a volume, as far as this node was granted keys; null without the secret or any current key.</summary>
    public static VolumeKeyring? Keyring(IIdentity self, PoolState state, VolumeId volume)
    {
        DedupSecret? dedup = null;
        List<EpochKey> epochs = Epochs(self, state, volume, secret => dedup ??= secret);
        EpochId? current = CurrentEpoch(state, volume);
        EpochKey? writing = epochs.Find(key => key.Id == current) ?? epochs.FirstOrDefault();
        if (dedup is null || writing is null)
        {
            return null;
        }

        VolumeKeyring ring = epochs.Aggregate(
            new VolumeKeyring(volume, dedup, writing), static (ring, key) => ring.With(key));

        // A clone reads what was written for the volumes it came from; this node was granted those keys as theirs.
        return OriginsOf(state, volume).Aggregate(
            ring, (clone, origin) => clone.Reading(origin, Epochs(self, state, origin, static _ => { })));
    }

    /// <summary>Whose grants a volume is written or read with: when they change, so may its keyring.</summary>
    public static ImmutableArray<NodeId> Granters(PoolState state, VolumeId volume)
    {
        ImmutableArray<NodeId>.Builder granters = ImmutableArray.CreateBuilder<NodeId>();
        foreach (VolumeId one in OriginsOf(state, volume).Append(volume).Distinct())
        {
            foreach (KeyGrant grant in state.KeysOf(one))
            {
                granters.Add(grant.Granter);
            }
        }

        return granters.DrainToImmutable();
    }

    private static IEnumerable<VolumeId> OriginsOf(PoolState state, VolumeId volume) =>
        state.Volumes.TryGetValue(volume, out PoolVolume? known) ? known.Origins.Select(held => held.Volume) : [];

    /// <summary>The epochs of a volume that this node was granted; its dedup secret is told apart.</summary>
    private static List<EpochKey> Epochs(
        IIdentity self, PoolState state, VolumeId volume, Action<DedupSecret> secret)
    {
        List<EpochKey> epochs = [];
        foreach (KeyGrant grant in state.KeysOf(volume))
        {
            if (grant.Recipient != self.Node
                || !state.Members.TryGetValue(grant.Granter, out Member? granter)
                || Open(self, granter.PublicKey.AsSpan(), grant) is not { } key)
            {
                continue;
            }

            if (grant.Epoch == default)
            {
                secret(new DedupSecret(key));
            }
            else
            {
                epochs.Add(new EpochKey(grant.Epoch, key));
            }
        }

        return epochs;
    }

    /// <summary>The epoch that new data is sealed under; null when every epoch is known to somebody who was revoked.</summary>
    public static EpochId? CurrentEpoch(PoolState state, VolumeId volume)
    {
        HashSet<EpochId> spoiled = [];
        HashSet<EpochId> byAdmins = [];
        List<EpochId> known = [];
        foreach (KeyGrant grant in state.KeysOf(volume))
        {
            if (grant.Epoch == default)
            {
                continue;
            }

            known.Add(grant.Epoch);
            if (IsRevoked(state, grant.Recipient) || IsRevoked(state, grant.Granter))
            {
                spoiled.Add(grant.Epoch);
            }

            // Who makes an epoch grants it to itself, too; who only passes one on has it already.
            if (grant.Granter == grant.Recipient
                && state.Members.TryGetValue(grant.Granter, out Member? maker) && maker.Role != MemberRole.Member)
            {
                byAdmins.Add(grant.Epoch);
            }
        }

        EpochId[] fresh =
        [
            .. known.Where(epoch => !spoiled.Contains(epoch)).Distinct()
                .OrderBy(epoch => !byAdmins.Contains(epoch)).ThenBy(epoch => epoch.Value),
        ];
        return fresh.Length == 0 ? null : fresh[0];
    }

    private static bool IsRevoked(PoolState state, NodeId node) =>
        state.Members.TryGetValue(node, out Member? member) && member.Standing is MemberStanding.Revoked;

    /// <summary>The keys that a new volume begins with, for all members.</summary>
    public static IEnumerable<Primitive> FirstKeys(NodePorts ports, PoolState state, VolumeId volume) =>
    [
        .. ToAll(
            ports.Identity, ports.Entropy, state, volume, default, ports.RandomBytes(DedupSecret.Size)),
        .. NewEpoch(ports, state, volume),
    ];

    /// <summary>The keys that a new volume begins with, for this node alone.</summary>
    public static IEnumerable<Primitive> FirstKeysOfOwn(NodePorts ports, VolumeId volume)
    {
        GrantKey ToSelf(EpochId epoch, byte[] key) => Wrap(
            ports.Identity, ports.Entropy, ports.Identity.Node, ports.Identity.PublicKey.Span, volume, epoch, key);
        yield return ToSelf(default, ports.RandomBytes(DedupSecret.Size));
        yield return ToSelf(new EpochId(ports.RandomBytes(EpochId.Size)), ports.RandomBytes(EpochKey.Size));
    }

    /// <summary>A fresh key to write with from now on, for all members.</summary>
    public static IEnumerable<Primitive> NewEpoch(NodePorts ports, PoolState state, VolumeId volume) => ToAll(
        ports.Identity, ports.Entropy, state, volume, new EpochId(ports.RandomBytes(EpochId.Size)),
        ports.RandomBytes(EpochKey.Size));

    /// <summary>Grants of a key to every member that may have it, this node and the recovery key included.</summary>
    public static ImmutableArray<Primitive> ToAll(
        IIdentity granter, IEntropy entropy, PoolState state, VolumeId volume, EpochId epoch, ReadOnlySpan<byte> key)
    {
        ImmutableArray<Primitive>.Builder grants = ImmutableArray.CreateBuilder<Primitive>();
        foreach (Member member in state.Members.Values)
        {
            if (MayHold(member))
            {
                grants.Add(Wrap(granter, entropy, member.Node, member.PublicKey.AsSpan(), volume, epoch, key));
            }
        }

        return grants.ToImmutable();
    }

    /// <summary>Whether keys are granted to a member.</summary>
    public static bool MayHold(Member member) => member.Standing == MemberStanding.Active || member.MayReturn;

    /// <summary>What a keyring wrapped outside the log is bound to.</summary>
    public static byte[] KeyringContext(PoolId pool, NodeId from, NodeId to) =>
        [.. "cairn pool keyring/1\0"u8, .. pool.Value.ToArray(), .. from.Value.ToArray(), .. to.Value.ToArray()];

    private static byte[] Context(VolumeId volume, EpochId epoch, NodeId granter, NodeId recipient) =>
        [
            .. "cairn key grant/1\0"u8, .. volume.Value.ToArray(), .. epoch.Value.ToArray(),
            .. granter.Value.ToArray(), .. recipient.Value.ToArray(),
        ];
}
