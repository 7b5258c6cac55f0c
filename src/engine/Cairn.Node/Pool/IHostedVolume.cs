using System.Collections.Immutable;
using Cairn.Coding.Encryption;
using Cairn.Core.Log;
using Cairn.Core.Manifests;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;
using Cairn.Core.Rules;
using Cairn.Node.Control;
using Cairn.Node.Garbage;
using Cairn.Node.Logs;
using Cairn.Node.Logs.Checkpoints;
using Cairn.Node.Peers;
using Cairn.Node.Ports;
using Cairn.Node.ReadPath;
using Cairn.Node.Volumes;
using Cairn.Node.WritePath;
using Cairn.Storage;
using Cairn.Storage.Logs;
using Cairn.Storage.Packs;

namespace Cairn.Node.Pool;

/// <summary>What is below a path of a volume, for safety reports.</summary>
/// <param name="Files">How many files.</param>
/// <param name="Chunks">The distinct chunks of their current versions, and of their manifests.</param>
/// <param name="Bytes">Their stored bytes, wherever they are.</param>
/// <param name="HasUnpublishedWrites">Whether some have writes in no version yet, or versions in no block yet.</param>
public sealed record VolumeContents(
    long Files, IReadOnlyList<ChunkAddress> Chunks, long Bytes, bool HasUnpublishedWrites);

/// <summary>What a pin keeps now.</summary>
/// <param name="Pin">The pin, moved along with what it pins.</param>
/// <param name="Path">Where that is now, with the volume's name before.</param>
/// <param name="IsGone">Whether it was removed.</param>
/// <param name="Files">Files of it.</param>
/// <param name="Unreadable">Files of which not even the list of chunks can be had now.</param>
/// <param name="Chunks">The chunks of the others, each once.</param>
public sealed record PinnedContents(
    Pin Pin, string Path, bool IsGone, long Files, long Unreadable, IReadOnlyList<ChunkRef> Chunks);

/// <summary>Files of a volume whose newest writes are on this node alone.</summary>
/// <param name="Count">How many were found; those written last are looked for first.</param>
/// <param name="Bytes">Of their content, what is in drafts and in the logs themselves: in no chunk.</param>
/// <param name="Paths">Some of them, with the volume's name before.</param>
public sealed record UnsharedFiles(long Count, long Bytes, IReadOnlyList<string> Paths)
{
    /// <summary>None.</summary>
    public static UnsharedFiles None { get; } = new(0, 0, []);
}

/// <summary>A folder, and a mark behind all that was seen of its volume.</summary>
/// <param name="Folder">Which folder.</param>
/// <param name="Mark">The mark: a transaction of this node, and seen by it.</param>
public sealed record FolderMark(ObjectId Folder, AdminMark Mark);

/// <summary>A volume as the node keeps it open: for doors, for peers, and for the owner's questions.</summary>
public interface IHostedVolume : IAsyncDisposable
{
    /// <summary>What doors use.</summary>
    IVolume Volume { get; }

    /// <summary>The lengths of all files as they are now, together; holes count, and what files share counts for each.</summary>
    long ShownBytes => 0;

    /// <summary>Files below a path whose present version has some of these chunks, at most so many, in words.</summary>
    /// <returns>"photos/2026/a.jpg (bytes 0-4095 of 9000)"</returns>
    Task<IReadOnlyList<string>> FilesWith(
        IReadOnlySet<ChunkAddress> chunks, string below, int countMax, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<string>>([]);

    /// <summary>Which of some chunks a version that the volume keeps refers to, or an open file, as far as can be told now.</summary>
    Task<IReadOnlyCollection<ChunkAddress>> Needed(
        IReadOnlySet<ChunkAddress> chunks, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyCollection<ChunkAddress>>([]);

    /// <summary>Chunks of present versions that are not on this node, and were written here or should be here.</summary>
    /// <param name="shouldBeHere">Whether a copy belongs here. Any thread.</param>
    /// <param name="cancellation">Ends it early.</param>
    Task<IReadOnlyCollection<ChunkAddress>> Absent(
        Func<ChunkAddress, bool> shouldBeHere, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyCollection<ChunkAddress>>([]);

    /// <summary>What is synchronised with the others.</summary>
    ISharedLog Log { get; }

    /// <summary>Files with writes of this node that are in no published version yet.</summary>
    long UnpublishedFiles => 0;

    /// <summary>Whether writes of this node wait to be published, or published versions to be shown to peers.</summary>
    bool HasUnpublishedWrites { get; }

    /// <summary>Its garbage: no node takes chunks of it in or brings them back. Null for a volume that collects none.</summary>
    CondemnedChunks? Condemned => null;

    /// <summary>Of a removed volume: whether every member has given back all it took.</summary>
    bool IsPurged => false;

    /// <summary>Of a removed volume: whether nothing of it is kept here any more, not even what stayed on this node alone.</summary>
    bool IsEmptyHere => true;

    /// <summary>Of a removed volume: whether nothing is to be done in it before every member has heard that it was removed.</summary>
    bool IsAtRest => false;

    /// <summary>Small work that is due every few seconds: what no member can contradict any more is forgotten.</summary>
    void Upkeep()
    {
    }

    /// <summary>Members came, went or were revoked.</summary>
    void MembersChanged()
    {
    }

    /// <summary>This node was forgotten, is here again and holds what the others hold: makes good what they settled without it.</summary>
    /// <param name="doCopiesCount">Whether others count on the copies here all the same: it was forgotten in vain.</param>
    /// <param name="cancellation">Ends it early.</param>
    /// <returns>Whether it is done; if not, it is to be tried again.</returns>
    Task<bool> ComeBack(bool doCopiesCount, CancellationToken cancellation) => Task.FromResult(true);

    /// <summary>How many changes of a member are without effect, because it may only read.</summary>
    long RefusedOf(NodeId member) => 0;

    /// <summary>Writes a mark behind all that is seen, durably, for a limit of a folder.</summary>
    /// <param name="path">The folder; "" is not one.</param>
    ValueTask<Result<FolderMark, VolumeError>> MarkFolder(string path) => new(VolumeError.NotSupported);

    /// <summary>Writes a mark behind all that is seen, durably.</summary>
    ValueTask<Result<AdminMark, VolumeError>> WriteMark() => new(VolumeError.NotSupported);

    /// <summary>Whether anything came into limited folders since the last mark.</summary>
    ValueTask<bool> HasUnguarded(CancellationToken cancellation) => new(false);

    /// <summary>The marks of renewals that judge nothing any more beside a mark that was just written here.</summary>
    ImmutableArray<TransactionId> IdleBeside(AdminMark mark) => [];

    /// <summary>Whether a transaction of the volume came.</summary>
    bool Has(TransactionId id) => false;

    /// <summary>Where a folder is now, without the volume's name; null if it was removed.</summary>
    string? PathOf(ObjectId folder) => null;

    /// <summary>What was found wrong with its logs since this was last asked, oldest first.</summary>
    IReadOnlyList<string> TakeFindings() => [];

    /// <summary>Whether what came late is not folded until blocks that were lost here are back.</summary>
    bool WaitsForLost => false;

    /// <summary>Others can write from now on. Called before the second member of a pool is granted.</summary>
    void Share()
    {
    }

    /// <summary>What its index takes on the disk.</summary>
    long IndexBytes { get; }

    /// <summary>The table as it is now, for a newcomer; null if it cannot be had. Blocks.</summary>
    IIndexStore? ViewTable() => null;

    /// <summary>The newest checkpoint that this node has made of it and keeps; null for none.</summary>
    MadeCheckpoint? Checkpoint => null;

    /// <summary>Whether what is folded here is a checkpoint and what came behind it.</summary>
    bool Continues(MadeCheckpoint checkpoint) => false;

    /// <summary>
    /// Whether a checkpoint has all that was folded here when the fold began anew with what was settled. One that is not kept has not.
    /// </summary>
    bool HasAllFoldedBefore(MadeCheckpoint checkpoint) => false;

    /// <summary>Remembers how much of the work of those who are forgotten was here when they were.</summary>
    void NoteForgotten(IReadOnlyCollection<NodeId> forgotten)
    {
    }

    /// <summary>Whether a checkpoint that is kept here has nothing of forgotten members that came after they were forgotten.</summary>
    bool HasNothingLate(MadeCheckpoint checkpoint) => false;

    /// <summary>
    /// Keeps what is folded here before a checkpoint takes its place that was settled without this node: from the moment on in which
    /// that is heard of, for the checkpoint may be long on its way, and an index may be lost meanwhile.
    /// </summary>
    /// <returns>False: it cannot be kept now.</returns>
    bool TryKeepTable() => true;

    /// <summary>What takes a checkpoint in that is to be kept here, until it is disposed; null if it is kept already.</summary>
    SlotFill? Lacks(MadeCheckpoint checkpoint) => null;

    /// <summary>The records of a checkpoint, for a newcomer; null if it is not kept here. Blocks.</summary>
    IIndexStore? ViewCheckpoint(Bytes32 hash) => null;

    /// <summary>The keys changed: a new epoch, after a revocation.</summary>
    void UseKeyring(VolumeKeyring keyring);

    /// <summary>Which files are on this node alone. Completes at once: it reads no more than the last blocks of own logs.</summary>
    /// <param name="elsewhere">What other nodes hold of the volume's logs.</param>
    /// <param name="onlyHere">Chunks that no other node confirmed.</param>
    UnsharedFiles Unshared(LogPositions elsewhere, IReadOnlySet<ChunkAddress> onlyHere) => UnsharedFiles.None;

    /// <summary>The files that are open for writing here.</summary>
    IReadOnlyList<ObjectId> OpenFiles => [];

    /// <summary>A member says which files it has open for writing: all of them.</summary>
    void HearOpenFiles(NodeId member, string name, IReadOnlyList<ObjectId> files)
    {
    }

    /// <summary>Grows when anything in the volume changes.</summary>
    long Changes => 0;

    /// <summary>The pin of a path ("" for everything).</summary>
    ValueTask<Result<Pin, VolumeError>> PinAt(string path) => new(VolumeError.NotSupported);

    /// <summary>What a pin keeps now.</summary>
    ValueTask<PinnedContents> Pinned(Pin pin, CancellationToken cancellation) =>
        new(new PinnedContents(pin, string.Empty, IsGone: true, 0, 0, []));

    /// <summary>The id of the snapshot with a name; null if there is none.</summary>
    Bytes16? SnapshotId(string name) => null;

    /// <summary>The name of the snapshot with an id; null if there is none.</summary>
    string? SnapshotName(Bytes16 id) => null;

    /// <summary>Brings all that is written to its log onto stable storage.</summary>
    Task<Result<Unit, VolumeError>> Seal(CancellationToken cancellation) =>
        Task.FromResult<Result<Unit, VolumeError>>(Unit.Value);

    /// <summary>Writes what a snapshot of another volume shows into this one, which is empty; can be begun again.</summary>
    /// <param name="origin">The other volume.</param>
    /// <param name="snapshot">The snapshot, which is held.</param>
    /// <param name="cancellation">Ends it early.</param>
    Task<Result<Unit, VolumeError>> FillFrom(
        IHostedVolume origin, Bytes16 snapshot, CancellationToken cancellation) =>
        Task.FromResult<Result<Unit, VolumeError>>(VolumeError.NotSupported);

    /// <summary>Makes versions of all writes now, without waiting for files to be closed.</summary>
    Task Publish(CancellationToken cancellation) => Task.CompletedTask;

    /// <summary>What is below a path ("" for everything).</summary>
    ValueTask<Result<VolumeContents, VolumeError>> Contents(string path, CancellationToken cancellation);
}

/// <summary>Everything a volume needs of its node.</summary>
public sealed record VolumeSetting
{
    /// <summary>Which volume.</summary>
    public required PoolVolume Volume { get; init; }

    /// <summary>Its keys.</summary>
    public required VolumeKeyring Keyring { get; init; }

    /// <summary>Who may write.</summary>
    public required IMembers Members { get; init; }

    /// <summary>Chunks of other nodes.</summary>
    public required IChunkSource Source { get; init; }

    /// <summary>Told of new chunks.</summary>
    public required IReplicationQueue Replication { get; init; }

    /// <summary>What the pool could hold and still has room for, at the rule's copies.</summary>
    public required Func<(long TotalBytes, long FreeBytes)> PoolSpace { get; init; }

    /// <summary>Who writes, for the volume's garbage.</summary>
    public IGarbageMembers? Garbage { get; init; }

    /// <summary>The newest checkpoint of the volume that all members have made; null for none.</summary>
    public Func<StandingCheckpoint?> Standing { get; init; } = static () => null;

    /// <summary>The checkpoint with which every fold of the volume begins; null for none.</summary>
    public Func<StandingCheckpoint?> Settled { get; init; } = static () => null;

    /// <summary>What members that are counted on said they hold of it, now or before they went away.</summary>
    public Func<LogPositions> Elsewhere { get; init; } = static () => LogPositions.Empty;

    /// <summary>The one that is settled next; null for none.</summary>
    public Func<AgingCheckpoint?> Aging { get; init; } = static () => null;

    /// <summary>
    /// Whether blocks may be dropped: not by a member on its way back, which may want to read what happened meanwhile.
    /// </summary>
    public Func<bool> MayDrop { get; init; } = static () => false;

    /// <summary>Whether new chunks find nodes for all their copies. Asked at every write, from any thread.</summary>
    public required Func<bool> HasPoolRoom { get; init; }

    /// <summary>Whether nobody takes what is written here any more. Asked at every write, from any thread.</summary>
    public required Func<bool> IsClosed { get; init; }

    /// <summary>Told the path of a file that was read while no node that has its data could be reached. Any thread.</summary>
    public required Action<string> Unreadable { get; init; }

    /// <summary>Told when a write was refused for want of room. Any thread.</summary>
    public required Action<WriteRefusal> Refused { get; init; }

    /// <summary>Told in a sentence when a file is open for writing here and elsewhere. Any thread.</summary>
    public required Action<string> OpenTwice { get; init; }
}

/// <summary>What a node has open on its disk.</summary>
/// <param name="Ports">The world.</param>
/// <param name="Options">How the node behaves.</param>
/// <param name="Chunks">Its chunks.</param>
/// <param name="Logs">Everybody's blocks.</param>
/// <param name="Pool">The pool.</param>
public sealed record NodeStores(NodePorts Ports, NodeOptions Options, ChunkStore Chunks, LogStore Logs, PoolId Pool);

/// <summary>Opens volumes; one per running node.</summary>
public interface IVolumeFactory : IAsyncDisposable
{
    /// <summary>Damage met while opening: to the journal, and to indexes that were made anew.</summary>
    IReadOnlyList<NodeProblem> Problems => [];

    /// <summary>The index of a volume of which this node has no history, to be filled before it is opened; null: it has some.</summary>
    IIndexStore? TableOfNew(VolumeId volume) => null;

    /// <summary>
    /// What takes a checkpoint in of a volume that could not be opened without it, until it is disposed; null if it is kept.
    /// </summary>
    /// <param name="setting">The volume, which is not open, and is not opened before what is returned is disposed.</param>
    /// <param name="checkpoint">Which.</param>
    SlotFill? Lacks(VolumeSetting setting, MadeCheckpoint checkpoint) => null;

    /// <summary>Opens a volume, recovering what a crash left.</summary>
    /// <returns>
    /// <see cref="StoreErrorKind.LacksCheckpoint"/>, and nothing is changed: old history was dropped here, and what was made of
    /// it is lost.
    /// </returns>
    Result<IHostedVolume, StoreError> Open(VolumeSetting setting);

    /// <summary>Whether logs of a volume are here, or what stays on this node beside it.</summary>
    bool Holds(VolumeId volume) => false;

    /// <summary>Deletes the logs and indexes of a volume that is purged, and not open.</summary>
    /// <remarks>What a crash leaves is done by the next call.</remarks>
    Result<Unit, StoreError> Delete(VolumeId volume) => Unit.Value;

    /// <summary>A volume is purged, and nothing of it is here: what the journal still has of it is needed no more.</summary>
    void Forget(VolumeId volume)
    {
    }
}
