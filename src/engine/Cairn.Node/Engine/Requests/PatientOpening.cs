using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Node.Pool;
using Cairn.Node.Volumes;

namespace Cairn.Node.Engine.Requests;

/// <summary>
/// A name travels before its content: who opens a file that another member made a moment ago waits for its first version.
/// </summary>
/// <remarks>
/// A making and a version are two transactions, in the order of this member's writing, so that a block can end between them; under
/// load the second comes seconds later. An empty file has no version, and one that a program is still writing has none
/// yet: both are shown empty when the patience is over. It counts from the coming of the name, not from the opening.
/// </remarks>
internal sealed class PatientOpening(VolumeState state, FileOperations files, CancellationToken stopping)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly Dictionary<ObjectId, (long UntilMs, TaskCompletionSource Came)> _empty = [];
    private readonly Queue<(long UntilMs, ObjectId File)> _order = [];

    /// <summary>What another member's transactions made of an object. Under the gate.</summary>
    public void Note(ObjectView view)
    {
        if (view.Kind != TreeKind.File)
        {
            return;
        }

        long nowMs = state.NowMs;
        while (_order.TryPeek(out (long UntilMs, ObjectId File) oldest) && oldest.UntilMs <= nowMs)
        {
            Forget(_order.Dequeue().File);
        }

        if (view.Head is not null)
        {
            Forget(view.Id);
        }
        else if (!_empty.ContainsKey(view.Id))
        {
            long untilMs = nowMs + (long)Patience.TotalMilliseconds;
            _empty.Add(view.Id, (untilMs, new(TaskCreationOptions.RunContinuationsAsynchronously)));
            _order.Enqueue((untilMs, view.Id));
        }
    }

    /// <summary>Opens a file, at once if its content is here or nobody can say that more comes.</summary>
    public ValueTask<Result<OpenedFile, VolumeError>> Open(InodeNumber inode, OpenIntent intent)
    {
        lock (state.Gate)
        {
            if (_empty.Count == 0
                || (intent & (OpenIntent.Write | OpenIntent.Truncate)) != 0
                || state.Inodes.ObjectOf(inode) is not { } id
                || !_empty.TryGetValue(id, out (long UntilMs, TaskCompletionSource Came) awaited)
                || awaited.UntilMs <= state.NowMs)
            {
                return new(files.Open(inode, intent));
            }

            TimeSpan patience = TimeSpan.FromMilliseconds(awaited.UntilMs - state.NowMs);
            return OpenLater(inode, intent, awaited.Came.Task, patience);
        }
    }

    private async ValueTask<Result<OpenedFile, VolumeError>> OpenLater(
        InodeNumber inode, OpenIntent intent, Task came, TimeSpan patience)
    {
        await Waiting.AtMost(came, patience, state.Parts.Time, stopping);
        return files.Open(inode, intent);
    }

    private void Forget(ObjectId file)
    {
        if (_empty.Remove(file, out (long UntilMs, TaskCompletionSource Came) awaited))
        {
            awaited.Came.TrySetResult();
        }
    }
}
