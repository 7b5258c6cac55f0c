using System.Buffers.Binary;
using Cairn.Core.Primitives;
using Cairn.Storage.Checksums;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Home;

/// <summary>A small file that is replaced whole: a checksum, then the content; a crash leaves the old one or the new one.</summary>
public static class SmallFile
{
    private const int HeaderBytes = 4;

    /// <summary>The content, or null if there is no such file.</summary>
    public static Result<byte[]?, StoreError> Read(IDisk disk, string path, int bytesMax)
    {
        Result<IDiskFile, DiskError> opened = disk.Open(path, DiskOpenMode.Read);
        if (!opened.TryGet(out IDiskFile? file, out DiskError error))
        {
            return error.Kind == DiskErrorKind.NotFound ? Result<byte[]?, StoreError>.Ok(null) : StoreError.From(error);
        }

        using (file)
        {
            if (!file.Length().TryGet(out long length, out error))
            {
                return StoreError.From(error);
            }

            if (length < HeaderBytes || length > bytesMax)
            {
                return new StoreError(StoreErrorKind.Corrupt, path, $"{length} bytes cannot be right");
            }

            byte[] bytes = new byte[length];
            if (!file.Read(0, bytes).TryGet(out _, out error))
            {
                return StoreError.From(error);
            }

            byte[] content = bytes[HeaderBytes..];
            return BinaryPrimitives.ReadUInt32LittleEndian(bytes) == Crc32C.Compute(content)
                ? content
                : new StoreError(StoreErrorKind.Corrupt, path, "the checksum is wrong");
        }
    }

    /// <summary>Replaces the content durably.</summary>
    public static Result<Unit, StoreError> Write(IDisk disk, string path, ReadOnlySpan<byte> content)
    {
        Span<byte> head = stackalloc byte[HeaderBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(head, Crc32C.Compute(content));
        return ReplacedFile.Write(disk, path, head, content).TryGet(out _, out DiskError error)
            ? Unit.Value
            : StoreError.From(error);
    }
}
