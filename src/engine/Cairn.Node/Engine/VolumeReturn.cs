using System.Collections.Immutable;
using Cairn.Core.Fold;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Node.Garbage;
using Cairn.Node.Logs;
using Cairn.Node.Ports;
using Cairn.Node.Volumes;
using Cairn.Storage.Packs;

namespace Cairn.Node.Engine;

/// <summary>Makes good what the others settled while this node was forgotten, once it holds all that they hold.</summary>
/// <remarks>
/// (1) Reads in the logs what was condemned, and looks what it had itself before something was settled without it. (2) Makes again
/// what was edited and the tree has forgotten (<see cref="LeftOutWork"/>, <see cref="SwallowedWork"/>). (3) Removes the chunks that
/// went meanwhile: nobody asked this node, and the others would take its copies for last ones and bring them back.
/// Each step can be done again. Thread: the engine's loop.
/// </remarks>
internal sealed class VolumeReturn(VolumeState state, IVolumeRoots roots, GarbageCollector garbage)
{
    private ReplicatedLog Log => state.Parts.Log;

    /// <summary>Runs all steps; false when one could not be done now.</summary>
    public Task<bool> Run(CancellationToken cancellation) => Run(isForgotten: true, cancellation);

    /// <summary>
    /// Step (2) alone, for a member whose copies count: what it wrote came behind what was settled without it.
    /// </summary>
    public Task<bool> MakeAgain(CancellationToken cancellation) => Run(isForgotten: false, cancellation);

    private async Task<bool> Run(bool isForgotten, CancellationToken cancellation)
    {
        FoldGround? ground;
        lock (state.Gate)
        {
            ground = Log.Fold.Ground;
            if (isForgotten && Log.Repair.Base.IsBehind)
            {
                return false;
            }
        }

        using IIndexStore? kept = ground is null ? null : await state.Parts.Workers.Run(
            WorkPriority.Background, () => Kept(ground), cancellation);
        LeftOutWork? leftOut = kept is null ? null : new LeftOutWork(
            new OverlayTable(new IndexTable(kept), cacheBytesMax: 0, learnKeysMax: 0),
            ground!.Positions, Log.OwnLogId.Author, Log.Rights);
        var swallowed = new SwallowedWork(Log.OwnLogId.Author);
        var condemned = new HashSet<ChunkAddress>();
        Result<MemoryTable, VolumeError> read = await HistoryReplay.Run(
            state,
            transaction =>
            {
                leftOut?.See(transaction);
                swallowed.See(transaction);
                condemned.UnionWith(transaction.Primitives.OfType<Condemn>()
                    .SelectMany(condemn => condemn.Addresses).Where(address => isForgotten && IsCopyHere(address)));
                return false;
            },
            cancellation);
        if (!read.IsOk || (leftOut is not null && !Remake(leftOut.Tree, leftOut.Objects, leftOut.HasWritten))
            || !await Remake(swallowed.Objects, cancellation) || !await Remove(condemned, cancellation))
        {
            return false;
        }

        return kept is null || await LetGo(kept, ground!.Hash, isForgotten, cancellation);
    }

    /// <summary>The tree that this node had before it stood on what was settled without it; null for none.</summary>
    private IIndexStore? Kept(FoldGround ground)
    {
        KeptTable table = Log.Ports.Checkpoints!.KeptTable;
        if (!table.IsFrom(ground.Hash))
        {
            return null;
        }

        if (!table.View().TryGet(out IIndexStore? kept, out IndexError damage))
        {
            Log.Report(Log.OwnLogId, $"{damage.Detail}: what was edited here of what others had removed stays removed");
        }

        return kept;
    }

    /// <summary>What was kept of the time before is not needed any more, when its chunks were given up that nothing needs.</summary>
    private async Task<bool> LetGo(
        IIndexStore kept, Bytes32 ground, bool isForgotten, CancellationToken cancellation)
    {
        if (isForgotten)
        {
            OutlivedChunks outlived = new(Log, new LiveChunks(Log, state.Queries, roots), kept);
            bool isDone = await outlived.Run(
                chunk => Log.Keys.TryGet(chunk.Epoch, out _) && IsCopyHere(chunk.Address),
                addresses => Remove(addresses, cancellation),
                cancellation);
            if (!isDone)
            {
                return false;
            }
        }

        if (isForgotten || !garbage.Members.IsReturning)
        {
            Log.Ports.Checkpoints!.KeptTable.Clear(ground);
        }

        return true;
    }

    /// <summary>What this node still owes to others is not given up: they have not got it.</summary>
    private bool IsCopyHere(ChunkAddress address) =>
        state.Parts.Store.TryGet(RecordKey.Copy(address), out StoredRecord record) && record.Use != ChunkUse.Staged;

    private async Task<bool> Remake(IReadOnlyCollection<ObjectId> objects, CancellationToken cancellation)
    {
        // Of a member that only reads nobody would obey it.
        if (objects.Count == 0 || !state.MayWrite)
        {
            return true;
        }

        Result<MemoryTable, VolumeError> unforgotten =
            await HistoryReplay.Run(state, SwallowedWork.ForgetsNothing, cancellation);
        if (!unforgotten.IsOk)
        {
            return false;
        }

        return Remake(new TreeQueries(unforgotten.Value), objects);
    }

    private bool Remake(
        TreeQueries then, IReadOnlyCollection<ObjectId> objects, Func<VersionId, bool>? isWanted = null)
    {
        if (!state.MayWrite)
        {
            return true;
        }

        RemakeWalk walk = new(then, state.Queries, isWanted);
        int made = 0;
        lock (state.Gate)
        {
            foreach (ImmutableArray<Primitive> step in walk.Steps(objects))
            {
                if (state.Commit(step) is not null)
                {
                    return false;
                }

                state.TellChanged(step);
                made++;
            }
        }

        if (made > 0)
        {
            Log.Report(
                Log.OwnLogId,
                $"{made} files and folders that others had removed were edited here meanwhile: they are back");
        }

        return true;
    }

    private async Task<bool> Remove(HashSet<ChunkAddress> condemned, CancellationToken cancellation)
    {
        if (condemned.Count == 0)
        {
            return true;
        }

        LiveChunks live = new(Log, state.Queries, roots);
        void OnWritten(ImmutableArray<Primitive> primitives) => live.NoteWritten(primitives);
        void OnChanged(IReadOnlyList<byte[]> keys) => live.NoteChanged(keys);
        lock (state.Gate)
        {
            Log.Written += OnWritten;
            Log.Changed += OnChanged;
        }

        try
        {
            // A publication may count on a chunk that is here: none is under way from the look to the removal.
            using IDisposable pause = await roots.PausePublishing(cancellation);
            return await live.Sift(condemned, new GoneSet(), static _ => { }, static () => { }, cancellation)
                && garbage.Remove([.. condemned]);
        }
        finally
        {
            lock (state.Gate)
            {
                Log.Written -= OnWritten;
                Log.Changed -= OnChanged;
            }
        }
    }
}
