using System.Buffers;
using Cairn.Core.Primitives;
using Cairn.Node.Volumes;

namespace Cairn.Node.Engine;

/// <summary>Copies a range from one open file to another through the volume's own reads and writes.</summary>
/// <remarks>The copied bytes make the same chunks again, so a copy costs no stored space.</remarks>
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
            while (done < length)
            {
                int step = (int)Math.Min(buffer.Length, length - done);
                Result<int, VolumeError> read =
                    await volume.Read(source, sourceOffset + done, buffer.AsMemory(0, step));
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
}
