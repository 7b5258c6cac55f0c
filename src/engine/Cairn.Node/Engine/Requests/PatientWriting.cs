using Cairn.Core.Primitives;
using Cairn.Node.Pool;
using Cairn.Node.Volumes;
using Cairn.Node.WritePath;
using Cairn.Storage.Journaling;
using Cairn.Storage.Packs;

namespace Cairn.Node.Engine.Requests;

/// <summary>Backpressure: a writer waits while publishing makes room, and is refused when there is no progress.</summary>
/// <remarks>
/// Who was refused once is refused at once, as long as it goes on trying, until there is room: a program that writes a thousand
/// blocks into a full pool would else wait for each.
/// </remarks>
internal sealed class PatientWriting(
    VolumeState state, FileOperations files, Publisher publisher, CancellationToken stopping)
{
    // When a write was last refused, in ticks of the time; 0 once there was room again.
    private long _refused;

    /// <summary>Writes, at once if there is room.</summary>
    /// <returns>
    /// <see cref="VolumeError.NoSpace"/> after <see cref="PublishOptions.RoomPatience"/> without room, and after
    /// <see cref="PublishOptions.DiskPatience"/> on a host's disk that is full.
    /// </returns>
    public ValueTask<Result<int, VolumeError>> Write(OpenHandle handle, long offset, ReadOnlyMemory<byte> data)
    {
        if (HasRoom(data.Length))
        {
            Result<int, VolumeError> written = files.Write(handle, offset, data);
            if (written.IsOk || written.Error != VolumeError.NoSpace)
            {
                Volatile.Write(ref _refused, 0);
                return new(written);
            }
        }

        return WriteWhenThereIsRoom(handle, offset, data);
    }

    /// <summary>On a full disk a round of publishing may free some of the journal; what others take over frees nothing.</summary>
    private TimeSpan Patience => state.Parts.IsDiskFull()
        ? state.Parts.Publishing.DiskPatience
        : state.Parts.Publishing.RoomPatience;

    /// <summary>Whether a write fits, and with it everything that waits in the journal to be published.</summary>
    private bool HasRoom(int bytes)
    {
        Journal journal = state.Journal.Journal;
        return state.Parts.HasPoolRoom() && journal.HasRoom
            && state.Parts.Store.HasRoom(journal.UsedBytes + bytes, ChunkUse.Staged);
    }

    private async ValueTask<Result<int, VolumeError>> WriteWhenThereIsRoom(
        OpenHandle handle, long offset, ReadOnlyMemory<byte> data)
    {
        TimeProvider time = state.Parts.Time;
        long start = time.GetTimestamp();
        long refused = Volatile.Read(ref _refused);
        bool isRefused = refused != 0 && time.GetElapsedTime(refused) < Patience;
        while (isRefused || time.GetElapsedTime(start) < Patience)
        {
            Task progress = publisher.Progress;
            lock (state.Gate)
            {
                // Everything that can be published must be: room comes from nowhere else.
                foreach (OpenObject open in state.OpenObjects)
                {
                    open.WantsPublishing |= open.Active is not null;
                }

                publisher.Signal();
            }

            if (isRefused)
            {
                break;
            }

            await Waiting.AtMost(progress, TimeSpan.FromMilliseconds(200), time, stopping);
            if (HasRoom(data.Length))
            {
                Result<int, VolumeError> written = files.Write(handle, offset, data);
                if (written.IsOk || written.Error != VolumeError.NoSpace)
                {
                    Volatile.Write(ref _refused, 0);
                    return written;
                }
            }

            if (stopping.IsCancellationRequested)
            {
                return VolumeError.Stopping;
            }
        }

        Volatile.Write(ref _refused, Math.Max(1, time.GetTimestamp()));
        if (!state.Parts.IsDiskFull())
        {
            state.Parts.Refused(Why());
        }

        return VolumeError.NoSpace;
    }

    /// <summary>In what there is no room. Of the host's disk the owner is told as long as it is full.</summary>
    private WriteRefusal Why() =>
        !state.Parts.HasPoolRoom() ? WriteRefusal.PoolFull
        : !state.Journal.Journal.HasRoom ? WriteRefusal.JournalFull
        : WriteRefusal.NodeFull;
}
