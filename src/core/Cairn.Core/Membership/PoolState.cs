using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Cairn.Core.Log;
using Cairn.Core.Placement;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;

namespace Cairn.Core.Membership;

/// <summary>What a member may do.</summary>
public enum MemberRole : byte
{
    /// <summary>Reads, writes and stores.</summary>
    Member = 0,

    /// <summary>May also grant and revoke members and create and remove volumes.</summary>
    Admin = 1,

    /// <summary>The recovery kit's key: as an admin, but it stores nothing and is shown apart.</summary>
    Recovery = 2,
}

/// <summary>Whether a member still belongs.</summary>
public enum MemberStanding : byte
{
    /// <summary>It belongs.</summary>
    Active = 0,

    /// <summary>
    /// Forgotten: away for good, or left by its own will; its copies no longer counted; its past operations stand, and it
    /// may be granted again.
    /// </summary>
    Forgotten = 1,

    /// <summary>Revoked: blocks after the accepted positions are quarantined, and nobody talks to it.</summary>
    Revoked = 2,

    /// <summary>Revoked by a member it had revoked itself: both wait for a third admin or the recovery kit.</summary>
    Suspended = 3,
}

/// <summary>The last block of one log that is accepted from a revoked author.</summary>
/// <param name="Log">Which volume's log, which incarnation.</param>
/// <param name="Volume">The volume; the pool volume for the pool's own log.</param>
/// <param name="LastBlock">Later blocks are quarantined; 0 accepts none.</param>
public readonly record struct AcceptedPosition(VolumeId Volume, LogId Log, ulong LastBlock);

/// <summary>A key that was granted a place in the pool.</summary>
/// <param name="Node">The hash of <paramref name="PublicKey"/>.</param>
/// <param name="PublicKey">SubjectPublicKeyInfo.</param>
/// <param name="Name">The name given when it was granted.</param>
/// <param name="Role">What it may do.</param>
/// <param name="Standing">Whether it still belongs.</param>
/// <param name="Accepted">For a revoked one: up to where its logs are folded, by volume and incarnation.</param>
public sealed record Member(
    NodeId Node,
    ImmutableArray<byte> PublicKey,
    string Name,
    MemberRole Role,
    MemberStanding Standing,
    ImmutableArray<AcceptedPosition> Accepted)
{
    /// <summary>Whether it may grant, revoke, create and remove now.</summary>
    public bool IsAuthority => Standing == MemberStanding.Active && Role is MemberRole.Admin or MemberRole.Recovery;

    /// <summary>Whether it takes part with a machine of its own.</summary>
    public bool IsActiveNode => Standing == MemberStanding.Active && Role != MemberRole.Recovery;

    /// <summary>Whether it is forgotten by its own word: it left, and only a new grant makes it a member again.</summary>
    public bool HasLeft { get; init; }

    /// <summary>Whether it was forgotten by others, and belongs again when it comes back.</summary>
    public bool MayReturn => Standing == MemberStanding.Forgotten && !HasLeft;
}

/// <summary>A volume of the pool.</summary>
/// <param name="Volume">Which.</param>
/// <param name="Name">The name people use; unique among the volumes that are not removed, by the fold.</param>
/// <param name="IsRemoved">Whether it was removed.</param>
public sealed record PoolVolume(VolumeId Volume, string Name, bool IsRemoved)
{
    /// <summary>The options it was created with: an encoded rule, or nothing.</summary>
    public ImmutableArray<byte> Options { get; init; } = [];

    /// <summary>Of a clone: the snapshot it began with, and what the volume of that needs itself. Empty for others.</summary>
    public ImmutableArray<HeldSnapshot> Origins { get; init; } = [];

    /// <summary>Whether all that it begins with is in it; only then others are given its keys.</summary>
    public bool IsComplete { get; init; } = true;

    /// <summary>Whether every member has given back what it took, after it was removed: nothing brings it back any more.</summary>
    public bool IsPurged { get; init; }

    /// <summary>When it was made, by its maker's clock; the epoch if a program folded it that did not keep this.</summary>
    public WallTime Created { get; init; }

    /// <summary>Whether it shares chunks with a snapshot of another volume.</summary>
    public bool IsClone => !Origins.IsEmpty;
}

/// <summary>A snapshot that is there as long as a clone needs it.</summary>
/// <param name="Volume">The volume that it is a snapshot of.</param>
/// <param name="Snapshot">Which.</param>
public readonly record struct HeldSnapshot(VolumeId Volume, Bytes16 Snapshot);

/// <summary>A volume key wrapped to one recipient.</summary>
/// <param name="Volume">Whose key.</param>
/// <param name="Epoch">Which epoch.</param>
/// <param name="Recipient">Who can open it.</param>
/// <param name="Granter">Whose key it was agreed with.</param>
/// <param name="Wrapped">Opaque to the core: Cairn.Coding's KeyWrap.</param>
public sealed record KeyGrant(
    VolumeId Volume, EpochId Epoch, NodeId Recipient, NodeId Granter, ImmutableArray<byte> Wrapped);

/// <summary>
/// What the pool's log says: who belongs, which volumes there are, who holds which key, which weights hold.
/// </summary>
/// <remarks>
/// An immutable value, read from the fold of the pool's log by <see cref="PoolApplier"/>; the same on all nodes that
/// have the same log.
/// </remarks>
public sealed record PoolState
{
    /// <summary>Nobody and nothing: before the founding transaction.</summary>
    public static PoolState Empty { get; } = new();

    /// <summary>Everyone who was ever granted a place, by node id.</summary>
    public ImmutableSortedDictionary<NodeId, Member> Members { get; init; } =
        ImmutableSortedDictionary<NodeId, Member>.Empty;

    /// <summary>
    /// Of each member that was ever forgotten the words that did so, as far as their authors could tell, obeyed or not.
    /// </summary>
    public ImmutableSortedDictionary<NodeId, ImmutableArray<TransactionId>> Forgettings { get; init; } =
        ImmutableSortedDictionary<NodeId, ImmutableArray<TransactionId>>.Empty;

    /// <summary>Every volume ever created, by id.</summary>
    public ImmutableSortedDictionary<VolumeId, PoolVolume> Volumes { get; init; } =
        ImmutableSortedDictionary<VolumeId, PoolVolume>.Empty;

    /// <summary>Every wrapped key, ordered by volume, epoch, recipient.</summary>
    public ImmutableArray<KeyGrant> Keys { get; init; } = [];

    /// <summary>The wrapped keys of one volume: a pool that made many keeps those of all.</summary>
    public ReadOnlySpan<KeyGrant> KeysOf(VolumeId volume)
    {
        int first = 0;
        for (int high = Keys.Length; first < high;)
        {
            int middle = (first + high) >>> 1;
            (first, high) = Keys[middle].Volume.CompareTo(volume) < 0 ? (middle + 1, high) : (first, middle);
        }

        int end = first;
        while (end < Keys.Length && Keys[end].Volume == volume)
        {
            end++;
        }

        return Keys.AsSpan()[first..end];
    }

    /// <summary>Who uses which member's machine, as admins said; a member that is not among them is nobody's in particular.</summary>
    public ImmutableSortedDictionary<NodeId, string> Users { get; init; } =
        ImmutableSortedDictionary<NodeId, string>.Empty;

    /// <summary>What admins said about members' editing: each member's limits in the order of the log.</summary>
    public ImmutableSortedDictionary<NodeId, ImmutableArray<LimitMember>> MemberLimits { get; init; } =
        ImmutableSortedDictionary<NodeId, ImmutableArray<LimitMember>>.Empty;

    /// <summary>What admins said about who edits volumes: each volume's limits in the order of the log.</summary>
    public ImmutableSortedDictionary<VolumeId, ImmutableArray<LimitVolume>> VolumeLimits { get; init; } =
        ImmutableSortedDictionary<VolumeId, ImmutableArray<LimitVolume>>.Empty;

    /// <summary>What admins said about who edits below which folders of each volume.</summary>
    public ImmutableSortedDictionary<VolumeId, FolderRights> Folders { get; init; } =
        ImmutableSortedDictionary<VolumeId, FolderRights>.Empty;

    /// <summary>What clones said about the snapshots of each volume, in the order of the log.</summary>
    public ImmutableSortedDictionary<VolumeId, ImmutableArray<SnapshotHold>> Holds { get; init; } =
        ImmutableSortedDictionary<VolumeId, ImmutableArray<SnapshotHold>>.Empty;

    /// <summary>The last checkpoint that each member says it has made of a volume.</summary>
    public ImmutableSortedDictionary<(VolumeId Volume, NodeId Member), MadeCheckpoint> Made { get; init; } =
        ImmutableSortedDictionary<(VolumeId, NodeId), MadeCheckpoint>.Empty;

    /// <summary>The newest checkpoint of each volume that all members had made.</summary>
    public ImmutableSortedDictionary<VolumeId, StandingCheckpoint> Checkpoints { get; init; } =
        ImmutableSortedDictionary<VolumeId, StandingCheckpoint>.Empty;

    /// <summary>The checkpoint of each volume that is settled next, once it is old.</summary>
    public ImmutableSortedDictionary<VolumeId, AgingCheckpoint> Aging { get; init; } =
        ImmutableSortedDictionary<VolumeId, AgingCheckpoint>.Empty;

    /// <summary>What each member said last about settling a checkpoint of a volume.</summary>
    public ImmutableSortedDictionary<(VolumeId Volume, NodeId Member), SettleWord> SettleWords { get; init; } =
        ImmutableSortedDictionary<(VolumeId, NodeId), SettleWord>.Empty;

    /// <summary>The checkpoint with which every fold of a volume begins, and whose word that was. It only gets deeper.</summary>
    public ImmutableSortedDictionary<VolumeId, StandingCheckpoint> Settled { get; init; } =
        ImmutableSortedDictionary<VolumeId, StandingCheckpoint>.Empty;

    /// <summary>The placement weights in force.</summary>
    public PlacementWeights Weights { get; init; } = PlacementWeights.None;

    /// <summary>The version of <see cref="Weights"/>; the next solution takes the next number. 0 before any.</summary>
    public ulong WeightsVersion { get; init; }

    /// <summary>The members that take part with a machine, in the order of ids.</summary>
    public IEnumerable<Member> ActiveNodes => Members.Values.Where(member => member.IsActiveNode);

    /// <summary>The volumes that can be mounted, in the order of ids.</summary>
    public IEnumerable<PoolVolume> LiveVolumes => Volumes.Values.Where(volume => !volume.IsRemoved);

    /// <summary>The volumes whose keys every member is given: no clone that is still being made.</summary>
    public IEnumerable<PoolVolume> CompleteVolumes => LiveVolumes.Where(volume => volume.IsComplete);

    /// <summary>The clones that need a volume, so that it cannot be removed.</summary>
    public IEnumerable<PoolVolume> ClonesOf(VolumeId origin) =>
        LiveVolumes.Where(clone => clone.Origins.Any(held => held.Volume == origin));

    /// <summary>Those who were forgotten and may come back, in the order of ids.</summary>
    public IEnumerable<Member> Forgotten => Members.Values.Where(static member => member.MayReturn);

    /// <summary>The words that ever forgot a member: whoever had heard of one and of nothing else went on without it.</summary>
    public ImmutableArray<TransactionId> ForgottenBy(NodeId member) => Forgettings.GetValueOrDefault(member, []);

    /// <summary>Those of them without whose word no checkpoint is settled, in the order of ids.</summary>
    public IEnumerable<Member> AwaitedToSettle => CheckpointRules.Awaited(Members.Values);

    /// <summary>Whether a key belongs to the pool now.</summary>
    public bool IsActive(NodeId node) =>
        Members.TryGetValue(node, out Member? member) && member.Standing == MemberStanding.Active;

    /// <summary>Finds a volume that is not removed by name.</summary>
    public bool TryFindVolume(string name, [NotNullWhen(true)] out PoolVolume? volume)
    {
        volume = LiveVolumes.FirstOrDefault(candidate => string.Equals(candidate.Name, name, StringComparison.Ordinal));
        return volume is not null;
    }

    /// <summary>Whether a member may edit volumes now, as far as their own limits let it.</summary>
    public bool MayWrite(NodeId member) =>
        !MemberLimits.TryGetValue(member, out ImmutableArray<LimitMember> limits) || limits[^1].MayWrite;

    /// <summary>Who alone may edit a volume now; null for every member.</summary>
    public ImmutableArray<NodeId>? WritersOf(VolumeId volume) =>
        VolumeLimits.TryGetValue(volume, out ImmutableArray<LimitVolume> limits) ? limits[^1].Writers : null;

    /// <summary>The judge of a volume's transactions.</summary>
    public WriteRights RightsIn(VolumeId volume) =>
        Judge(volume, SnapshotHolds.Of(Holds.GetValueOrDefault(volume, [])));

    /// <summary>Who may edit what of a volume, without which of its snapshots stay: of those, much may have been said.</summary>
    public WriteRights EditingIn(VolumeId volume) => Judge(volume, SnapshotHolds.None);

    private WriteRights Judge(VolumeId volume, SnapshotHolds holds)
    {
        ImmutableArray<LimitVolume> writers = VolumeLimits.GetValueOrDefault(volume, []);
        FolderRights folders = Folders.GetValueOrDefault(volume, FolderRights.None);
        return !HasRightsIn(volume) ? WriteRights.None : new WriteRights(
            MemberLimits.Select(member => KeyValuePair.Create(
                member.Key,
                member.Value.Select(limit => limit.In(volume)).ToImmutableArray())),
            [.. writers.Select(limit => new WritersLimit(limit.Writers, limit.Seen))])
        {
            Holds = holds,
            Folders = folders,
        };
    }

    /// <summary>Whether anything was ever said that <see cref="RightsIn"/> judges by: that is long when much was said.</summary>
    public bool HasRightsIn(VolumeId volume) => !MemberLimits.IsEmpty
        || VolumeLimits.ContainsKey(volume) || Holds.ContainsKey(volume) || Folders.ContainsKey(volume);

    /// <summary>Whether <see cref="RightsIn"/> says of every volume what it said of an earlier state: nothing of it is new.</summary>
    public bool HasRightsOf(PoolState earlier) =>
        MemberLimits == earlier.MemberLimits && VolumeLimits == earlier.VolumeLimits
        && Holds == earlier.Holds && Folders == earlier.Folders;

    /// <summary>Whether all have said what settles a checkpoint: it is, once somebody says so who has heard them all.</summary>
    public bool IsSettledByWords(VolumeId volume, MadeCheckpoint checkpoint) => CheckpointRules.IsSettledBy(
        Members.Values,
        member => SettleWords.TryGetValue((volume, member), out SettleWord word) ? word : null,
        checkpoint);

    /// <summary>
    /// Whether a block of an author's log is folded: authors in good standing always, revoked ones up to the cut.
    /// </summary>
    /// <remarks>
    /// Not for the pool's own log: there every key that was ever granted is folded, and <see cref="PoolApplier"/>
    /// decides what has effect, because two admins who revoke each other would otherwise be judged by order of arrival.
    /// </remarks>
    /// <param name="volume">The volume of the log.</param>
    /// <param name="log">Which log.</param>
    /// <param name="block">The block's number.</param>
    public bool Accepts(VolumeId volume, LogId log, ulong block) =>
        Members.TryGetValue(log.Author, out Member? member)
        && (member.Standing is MemberStanding.Active or MemberStanding.Forgotten
            || member.Accepted.Any(cut => cut.Volume == volume && cut.Log == log && block <= cut.LastBlock));
}
