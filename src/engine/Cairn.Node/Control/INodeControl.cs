using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Volumes;

namespace Cairn.Node.Control;

/// <summary>The second waist: what an owner may ask of a running node. The command line and the console speak only this.</summary>
/// <remarks>
/// Thread: the engine's loop; the control socket's server posts there. Volumes may be used from any thread.
/// Founding, joining and recovering happen before a node runs: <c>Founding.Found</c>, <c>Join</c> and <c>Recover</c>.
/// </remarks>
public interface INodeControl
{
    /// <summary>This node. Thread: any.</summary>
    NodeId Self { get; }

    /// <summary>This node, the pool, what is owed, and the verdict.</summary>
    ValueTask<NodeStatus> Status(CancellationToken cancellation);

    /// <summary>Every member, this node first, then by name.</summary>
    ValueTask<IReadOnlyList<NodeSummary>> Nodes(CancellationToken cancellation);

    /// <summary>Makes a code that lets one machine in, once, within ten minutes and five attempts. Admins only.</summary>
    /// <param name="terms">What the machine becomes: a member stores, reads and writes; an admin may also let others in.</param>
    ValueTask<Result<InviteTicket, ControlError>> Invite(InviteTerms terms, CancellationToken cancellation);

    /// <summary>Makes a member an admin. Admins only.</summary>
    /// <param name="node">A name, an id or the start of an id.</param>
    ValueTask<Result<Unit, ControlError>> PromoteNode(string node, CancellationToken cancellation);

    /// <summary>Leaves the pool: hands every copy on, then withdraws; the last report has <see cref="SafetyProgress.IsSafe"/>.</summary>
    /// <param name="force">Do not wait for the copies: the others remake what they can.</param>
    IAsyncEnumerable<Result<SafetyProgress, ControlError>> Leave(bool force, CancellationToken cancellation);

    /// <summary>Says which person uses a machine: what is done there is shown as theirs. Admins only.</summary>
    /// <param name="node">A name, an id or the start of an id.</param>
    /// <param name="user">The person's name; empty: nobody in particular.</param>
    ValueTask<Result<Unit, ControlError>> AssignUser(string node, string user, CancellationToken cancellation);

    /// <summary>The person who uses a machine; empty: nobody in particular. Thread: any.</summary>
    string UserOf(NodeId node);

    /// <summary>Declares a lost node gone: its copies are remade at once. It may come back and is then reconciled.</summary>
    /// <param name="node">A name, an id or the start of an id.</param>
    ValueTask<Result<Unit, ControlError>> ForgetNode(string node, CancellationToken cancellation);

    /// <summary>Withdraws a node's membership: it is cut off at once and keys are renewed. Admins only.</summary>
    /// <param name="node">A name, an id or the start of an id.</param>
    ValueTask<Result<Unit, ControlError>> RevokeNode(string node, CancellationToken cancellation);

    /// <summary>
    /// Lets a member only read from now on: what this node has not seen of its changes, no node obeys. Admins only.
    /// </summary>
    /// <param name="node">A name, an id or the start of an id.</param>
    ValueTask<Result<Unit, ControlError>> ForbidWriting(string node, CancellationToken cancellation);

    /// <summary>Lets a member write again. Admins only.</summary>
    /// <param name="node">A name, an id or the start of an id.</param>
    /// <param name="acceptsRefused">Whether all that was refused of it until now stands, too.</param>
    ValueTask<Result<Unit, ControlError>> AllowWriting(
        string node, bool acceptsRefused, CancellationToken cancellation);

    /// <summary>Says who edits a volume, or below one of its folders; members that join later may not. Admins only.</summary>
    /// <param name="path">"VOLUME" or "VOLUME/folder"; what was said of a folder goes with it when it moves.</param>
    /// <param name="access">Only some, every member, or (of a folder) what the folders above it say.</param>
    /// <param name="nodes">Who, for <see cref="FolderAccess.Only"/>: names, ids or starts of ids.</param>
    /// <param name="acceptsRefused">Whether all that was refused there of these until now stands, too.</param>
    ValueTask<Result<Unit, ControlError>> SetWriters(
        string path, FolderAccess access, IReadOnlyList<string> nodes, bool acceptsRefused,
        CancellationToken cancellation);

    /// <summary>Who may edit a volume, and below which of its folders.</summary>
    ValueTask<Result<IReadOnlyList<FolderWriters>, ControlError>> FolderWriters(
        string volume, CancellationToken cancellation);

    /// <summary>Makes a volume, usable here when this returns and elsewhere as soon as the others hear of it.</summary>
    ValueTask<Result<VolumeSummary, ControlError>> CreateVolume(string name, CancellationToken cancellation);

    /// <summary>
    /// Makes a volume that begins as a snapshot of another and shares its data; the snapshot stays as long as the clone.
    /// Usable when this returns. Admins only.
    /// </summary>
    /// <param name="volume">The volume of the snapshot.</param>
    /// <param name="snapshot">The snapshot's name.</param>
    /// <param name="name">The new volume's.</param>
    /// <param name="cancellation">Ends the wait; the clone is completed all the same.</param>
    ValueTask<Result<VolumeSummary, ControlError>> CloneSnapshot(
        string volume, string snapshot, string name, CancellationToken cancellation);

    /// <summary>The volumes, by name.</summary>
    ValueTask<IReadOnlyList<VolumeSummary>> Volumes(CancellationToken cancellation);

    /// <summary>Removes a volume and everything in it, everywhere; not while clones of it are there.</summary>
    ValueTask<Result<Unit, ControlError>> RemoveVolume(string name, CancellationToken cancellation);

    /// <summary>An open volume.</summary>
    ValueTask<Result<IVolume, ControlError>> Volume(string name, CancellationToken cancellation);

    /// <summary>Asks the holders how safe a file or folder is.</summary>
    /// <param name="path">"VOLUME/path/below"; a volume's name alone means all of it.</param>
    ValueTask<Result<SafetyReport, ControlError>> Safe(string path, CancellationToken cancellation);

    /// <summary>Reports until everything (or the path) is safe; several reports a second at most, at least one.</summary>
    /// <param name="path">As for <see cref="Safe"/>; null: all that this node owes, and that others said they owe.</param>
    IAsyncEnumerable<Result<SafetyProgress, ControlError>> WaitSafe(string? path, CancellationToken cancellation);

    /// <summary>
    /// Pushes out what is on this node alone; the last report has <see cref="SafetyProgress.IsSafe"/> when nothing is any
    /// more, and says why not when peers are missing or full.
    /// </summary>
    IAsyncEnumerable<Result<SafetyProgress, ControlError>> Evacuate(CancellationToken cancellation);

    /// <summary>Keeps a file or folder here, whatever placement wants of it: fetched in the background, over restarts.</summary>
    /// <param name="path">As for <see cref="Safe"/>; null: every volume there is now.</param>
    /// <param name="recentDays">Only what was written in the last so many days; 0 for everything.</param>
    ValueTask<Result<Unit, ControlError>> Pin(string? path, int recentDays, CancellationToken cancellation);

    /// <summary>Lets go of a pin: its copies yield when space is wanted.</summary>
    ValueTask<Result<Unit, ControlError>> Unpin(string path, CancellationToken cancellation);

    /// <summary>The pins, and how far each is fetched.</summary>
    ValueTask<IReadOnlyList<PinSummary>> Pins(CancellationToken cancellation);

    /// <summary>Unpins a path and gives back its local copies that enough other nodes confirm now.</summary>
    ValueTask<Result<FreeReport, ControlError>> Free(string path, CancellationToken cancellation);

    /// <summary>Changes what this node gives, live.</summary>
    ValueTask<Result<SpaceStatus, ControlError>> SetSpace(long allocatedBytes, CancellationToken cancellation);

    /// <summary>Limits bandwidth for chunks, live; kept over restarts.</summary>
    ValueTask<Result<Unit, ControlError>> SetLimit(BandwidthLimit limit, CancellationToken cancellation);

    /// <summary>The diary's lines after a number (0: from the oldest kept), at most so many of the newest.</summary>
    ValueTask<IReadOnlyList<LogLine>> Logs(long afterNumber, int countMax, CancellationToken cancellation);
}
