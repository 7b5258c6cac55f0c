using System.Buffers;
using Cairn.Core.Primitives;
using Cairn.Node.Volumes;

namespace Cairn.Node.Engine.Requests;

/// <summary>Copies a range from one open file to another through the volume's own reads and writes.</summary>
/// <remarks>
/// The copied bytes make the same chunks again, so a copy costs no stored space. Holes are made again, not written out: a
/// disk image that is nearly empty would take the journal and the volume for its zeros.
/// </remarks>
internal static class RangeCopy
{
    private const int BufferBytes = 1 << 20;

    public static async ValueTask<Result<long, VolumeError>> Run(
        IVolume volume, OpenHandle source, long sourceOffset, OpenHandle target, long targetOffset, long length)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(BufferBytes, Math.Max(1, length)));
        try
        {
            long done = 0;
            for (long dataEnd = sourceOffset; done < length;)
            {
                long at = sourceOffset + done;
                if (at == dataEnd)
                {
                    Result<(long Hole, long DataEnd), VolumeError> run =
                        await NextRun(volume, source, at, length - done);
                    if (!run.TryGet(out (long Hole, long DataEnd) found, out VolumeError error)
                        || !(await Zero(volume, target, targetOffset + done, found.Hole)).TryGet(out _, out error))
                    {
                        return done > 0 ? done : error;
                    }

                    done += found.Hole;
                    dataEnd = found.DataEnd;
                    if (dataEnd > sourceOffset + done)
                    {
                        continue;
                    }

                    break;
                }

                int step = (int)Math.Min(buffer.Length, Math.Min(length - done, dataEnd - at));
                Result<int, VolumeError> read = await volume.Read(source, at, buffer.AsMemory(0, step));
                if (!read.IsOk)
                {
                    return done > 0 ? done : read.Error;
                }

                if (read.Value == 0)
                {
                    break;
                }

                Result<int, VolumeError> written =
                    await volume.Write(target, targetOffset + done, buffer.AsMemory(0, read.Value));
                if (!written.IsOk)
                {
                    return done > 0 ? done : written.Error;
                }

                done += written.Value;
            }

            return done;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The length of the hole at a place, and where the data behind it ends: at that place when the file does.</summary>
    private static async ValueTask<Result<(long Hole, long DataEnd), VolumeError>> NextRun(
        IVolume volume, OpenHandle source, long at, long length)
    {
        Result<long, VolumeError> data = await volume.Seek(source, at, SeekTarget.Data);
        if (!data.IsOk && data.Error == VolumeError.NoData)
        {
            Result<long, VolumeError> end = await EndOf(volume, source, at, length);
            return end.IsOk ? (end.Value - at, end.Value) : end.Error;
        }

        if (!data.IsOk)
        {
            return data.Error;
        }

        if (data.Value - at >= length)
        {
            return (length, at + length);
        }

        Result<long, VolumeError> hole = await volume.Seek(source, data.Value, SeekTarget.Hole);
        return hole.IsOk ? (data.Value - at, hole.Value) : hole.Error;
    }

    /// <summary>Where the file ends, but not behind a range that has nothing but a hole.</summary>
    private static async ValueTask<Result<long, VolumeError>> EndOf(
        IVolume volume, OpenHandle source, long at, long length)
    {
        byte[] one = new byte[1];
        long inside = at;
        for (long step = length; step > 0;)
        {
            long tried = inside + step - 1;
            Result<int, VolumeError> read = await volume.Read(source, tried, one);
            if (!read.IsOk)
            {
                return read.Error;
            }

            // The last byte that is there, plus one; found by halves.
            inside = read.Value == 1 ? tried + 1 : inside;
            step = Math.Min(read.Value == 1 ? step : step / 2, at + length - inside);
        }

        return inside;
    }

    private static async ValueTask<Result<Unit, VolumeError>> Zero(
        IVolume volume, OpenHandle target, long offset, long length) =>
        length == 0 ? Unit.Value : await volume.Allocate(target, offset, length, AllocateMode.ZeroRange);
}
