using Cairn.Core.Primitives;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Packs;

/// <summary>Makes what was written to packs durable. After a failure nothing can be, so the first one is kept.</summary>
internal sealed class PackSync(object gate, PackFiles files)
{
    /// <summary>The sync that failed. Read and written under the gate.</summary>
    public StoreError? Failure { get; private set; }

    /// <summary>Syncs every pack that was written to. Without the gate.</summary>
    public Result<Unit, StoreError> Run()
    {
        List<(Pack Pack, ulong Written, int End)> dirty = [];
        lock (gate)
        {
            if (Failure is { } failed)
            {
                return failed;
            }

            foreach (Pack? pack in files.Packs)
            {
                if (pack is not null && pack.Number != 0 && pack.Written != pack.Synced)
                {
                    pack.Users++;
                    dirty.Add((pack, pack.Written, pack.Writing == 0 ? pack.End : pack.DurableBytes));
                }
            }
        }

        StoreError? failure = null;
        foreach ((Pack pack, _, _) in dirty)
        {
            Result<Unit, DiskError> synced = failure is null ? pack.File.Sync() : Unit.Value;
            failure ??= synced.IsOk ? null : StoreError.From(synced.Error);
        }

        lock (gate)
        {
            Failure ??= failure;
            foreach ((Pack pack, ulong written, int end) in dirty)
            {
                pack.Users--;
                if (failure is null)
                {
                    PackAllocator.NoteSynced(pack, written, end);
                }
            }

            return failure is { } why ? why : Unit.Value;
        }
    }
}
