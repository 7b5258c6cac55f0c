using System.Collections.Immutable;
using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Returning;
using Cairn.Node.Engine.Past;
using Cairn.Node.Garbage;
using Cairn.Node.Logs;
using Cairn.Node.Logs.Checkpoints;
using Cairn.Node.Logs.Index;
using Cairn.Node.Ports;
using Cairn.Node.Volumes;
using Cairn.Storage.Packs;

namespace Cairn.Node.Engine.Upkeep;

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
    /// <param name="doCopiesCount">
    /// Whether others count on the copies here all the same: then they are asked first, as for any garbage. They may have written
    /// again meanwhile what was collected, and brought it here before the version that names it.
    /// </param>
    /// <param name="cancellation">Ends it early.</param>
    public Task<bool> Run(bool doCopiesCount, CancellationToken cancellation) =>
        Run(isForgotten: true, doCopiesCount, cancellation);

    /// <summary>
    /// Step (2) alone, for a member whose copies count: what it wrote came behind what was settled without it.
    /// </summary>
    public Task<bool> MakeAgain(CancellationToken cancellation) =>
        Run(isForgotten: false, doCopiesCount: true, cancellation);

    /// <summary>Which of some chunks the tree needs, or an open file, as far as lists of chunks can be read now.</summary>
    public async Task<IReadOnlyCollection<ChunkAddress>> Needed(
        IReadOnlySet<ChunkAddress> chunks, CancellationToken cancellation)
    {
        HashSet<ChunkAddress> needed = [];
        LiveChunks live = new(Log, state.Queries, roots);
        _ = await live.Sift(
            [.. chunks], new GoneSet(), (address, _) => needed.Add(address), static () => { }, cancellation);
        return needed;
    }

    private async Task<bool> Run(bool isForgotten, bool doCopiesCount, CancellationToken cancellation)
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
        LeftOutWork? leftOut = null;
        var swallowed = new SwallowedWork(Log.OwnLogId.Author);
        HashSet<ChunkAddress> condemned = [];

        // Each of them is made for one pass: what it makes of the same transactions twice is not what it makes of them once.
        Func<Transaction, bool> Begin()
        {
            leftOut = kept is null ? null : new LeftOutWork(
                new OverlayTable(new IndexTable(kept), cacheBytesMax: 0, learnKeysMax: 0),
                ground!.Positions, Log.OwnLogId.Author, Log.Rights);
            swallowed = new SwallowedWork(Log.OwnLogId.Author);
            condemned = [];
            return See;
        }

        bool See(Transaction transaction)
        {
            leftOut?.See(transaction);
            swallowed.See(transaction);
            condemned.UnionWith(transaction.Primitives.OfType<Condemn>()
                .SelectMany(condemn => condemn.Addresses).Where(address => isForgotten && IsCopyHere(address)));
            return false;
        }

        Result<MemoryTable, VolumeError> read = await HistoryReplay.RunWhole(state, Begin, cancellation);
        if (!read.IsOk || (leftOut is not null && !Remake(leftOut.Tree, leftOut.Objects, leftOut.HasWritten))
            || !await Finish(swallowed, condemned, doCopiesCount, cancellation))
        {
            return false;
        }

        return kept is null || await LetGo(kept, ground!.Hash, isForgotten, doCopiesCount, cancellation);
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
        IIndexStore kept, Bytes32 ground, bool isForgotten, bool doCopiesCount, CancellationToken cancellation)
    {
        if (isForgotten)
        {
            OutlivedChunks outlived = new(Log, new LiveChunks(Log, state.Queries, roots), kept);
            bool isDone = await outlived.Run(
                chunk => Log.Keys.TryGet(chunk.Epoch, out _) && IsCopyHere(chunk.Address),
                addresses => GiveUp(addresses, doCopiesCount, cancellation),
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

    private async Task<bool> Finish(
        SwallowedWork swallowed, HashSet<ChunkAddress> condemned, bool doCopiesCount, CancellationToken cancellation)
    {
        // Of a member that only reads nobody would obey it.
        bool isRemade = swallowed.Objects.Count == 0 || !state.MayWrite;
        bool areOthersSafe = swallowed.OfOthers.Count == 0 || condemned.Count == 0;
        if (!isRemade || !areOthersSafe)
        {
            Result<MemoryTable, VolumeError> unforgotten =
                await HistoryReplay.RunWhole(state, static () => SwallowedWork.ForgetsNothing, cancellation);
            if (!unforgotten.IsOk)
            {
                return false;
            }

            TreeQueries then = new(unforgotten.Value);
            await KeepFor(then, swallowed.OfOthers, condemned, cancellation);
            isRemade = isRemade || Remake(then, swallowed.Objects, swallowed.HasWritten);
        }

        return isRemade && await GiveUp(condemned, doCopiesCount, cancellation);
    }

    /// <summary>
    /// Takes out of what is to go what others need who have not made their work again yet: members that were away together hold
    /// each other's copies, and no tree names these.
    /// </summary>
    private async Task KeepFor(
        TreeQueries then, IReadOnlyCollection<ObjectId> objects, HashSet<ChunkAddress> condemned,
        CancellationToken cancellation)
    {
        List<ReadOnlyMemory<byte>> needed = [];
        foreach (ObjectId id in objects.Where(id => then.Get(id) is { IsDetached: false }))
        {
            RecordRoots.AddHeads(then, id, needed);
        }

        LiveChunks live = new(Log, state.Queries, roots);
        if (!await live.ChunksOf(needed, chunk => condemned.Remove(chunk.Address), cancellation))
        {
            // A list that cannot be read now may name any of them: space, not a loss.
            condemned.Clear();
        }
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

    private Task<bool> GiveUp(
        HashSet<ChunkAddress> condemned, bool doCopiesCount, CancellationToken cancellation)
    {
        if (!doCopiesCount)
        {
            return Remove(condemned, cancellation);
        }

        lock (state.Gate)
        {
            // What is in a list that is open is given up with that.
            garbage.NoteUnnamed(condemned.Where(address => !garbage.Condemned.Contains(address)));
        }

        return Task.FromResult(true);
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
            return await live.Sift(condemned, new GoneSet(), static (_, _) => { }, static () => { }, cancellation)
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
