using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Cairn.Core.Primitives;
using Cairn.Storage.Checksums;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Packs;

/// <summary>How records are read: a part of one, all of one to send it, all of one to check it.</summary>
public sealed partial class ChunkStore
{
    /// <summary>Bytes in front of the stored ones that <see cref="ReadToSend"/> needs for itself while it runs.</summary>
    public const int ReadRoom = PackFormat.HeaderBytes;

    private readonly RecentReads _recent = new();

    /// <summary>Reads part of a record: one lookup, one positional read, no allocation, no checksum (segments carry their own).</summary>
    public Result<Unit, StoreError> Read(RecordKey key, int offset, Span<byte> destination)
    {
        if (!TryBeginRead(key, offset, destination.Length, out Pack? pack, out long at, out StoreError error))
        {
            return error;
        }

        // Who reads much at once keeps what is opened in the drive's own cache. If it is read here again, that has forgotten it.
        at += PackFormat.HeaderBytes + offset;
        bool isOnce = destination.Length >= IDiskFile.BulkBytesMin && !_recent.IsAgain(pack.Number, at);
        Result<Unit, DiskError> read =
            pack.File.ReadPatiently(at, destination, isOnce ? ReadUse.Once : ReadUse.Again);
        pack.EndRead();
        return read.IsOk ? Unit.Value : StoreError.From(read.Error);
    }

    /// <summary>
    /// Reads all of a record that is to be sent, and checks it: who gets rotten bytes finds out, but cannot mend them here.
    /// </summary>
    /// <param name="key">Which.</param>
    /// <param name="buffer">
    /// <see cref="ReadRoom"/> bytes, then as many as are stored. What is in the room is there again afterwards: the header is read
    /// along with the bytes, and records that are sent together lie one behind the other.
    /// </param>
    /// <returns><see cref="StoreErrorKind.Corrupt"/> if they are not what was stored.</returns>
    /// <remarks>Allocates: no.</remarks>
    public Result<Unit, StoreError> ReadToSend(RecordKey key, Span<byte> buffer)
    {
        Span<byte> stored = buffer[ReadRoom..];
        if (!TryBeginRead(key, 0, stored.Length, out Pack? pack, out long at, out StoreError error))
        {
            return error;
        }

        Span<byte> room = stackalloc byte[ReadRoom];
        buffer[..ReadRoom].CopyTo(room);
        Result<Unit, DiskError> read = pack.File.ReadPatiently(at, buffer, ReadUse.Bulk);
        pack.EndRead();
        bool isWhole = read.IsOk && PackFormat.TryRead(buffer, out PackRecord header) && header.Key == key
            && header.Length == stored.Length && header.Checksum == Crc32C.Compute(stored);
        room.CopyTo(buffer);

        // The header may be what has rotted.
        return !read.IsOk ? StoreError.From(read.Error)
            : isWhole || AddressOf(stored) == key.Address ? Unit.Value
            : Rotten(key);
    }

    /// <summary>Reads a whole record and checks it against its address.</summary>
    /// <returns><see cref="StoreErrorKind.Corrupt"/> if it is not what its address says.</returns>
    public Result<Unit, StoreError> Verify(RecordKey key)
    {
        int length = Length(key);
        if (length < 0)
        {
            return Missing(key);
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(Math.Max(length, 1));
        try
        {
            Span<byte> stored = buffer.AsSpan(0, length);
            if (!TryBeginRead(key, 0, length, out Pack? pack, out long at, out StoreError error))
            {
                return error;
            }

            Result<Unit, DiskError> read = pack.File.ReadPatiently(at + PackFormat.HeaderBytes, stored, ReadUse.Bulk);
            pack.EndRead();
            return !read.IsOk ? StoreError.From(read.Error)
                : AddressOf(stored) == key.Address ? Unit.Value
                : Rotten(key);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>As <see cref="Verify"/>, and what is bad is not answered for any more (<see cref="Quarantine"/>).</summary>
    public Result<Unit, StoreError> VerifyOrQuarantine(RecordKey key)
    {
        Result<Unit, StoreError> verified = Verify(key);
        if (!verified.IsOk && verified.Error.Kind != StoreErrorKind.NotFound)
        {
            Quarantine(key, verified.Error);
        }

        return verified;
    }

    internal static ChunkAddress AddressOf(ReadOnlySpan<byte> stored)
    {
        Span<byte> hash = stackalloc byte[ChunkAddress.Size];
        SHA256.HashData(stored, hash);
        return new ChunkAddress(hash);
    }

    private static StoreError Rotten(RecordKey key) =>
        new(StoreErrorKind.Corrupt, key.Address.Short, "its bytes are not those of its address");

    /// <summary>Finds a record; its pack is not wiped until the read ends.</summary>
    private bool TryBeginRead(
        RecordKey key, int offset, int count, [NotNullWhen(true)] out Pack? pack, out long at, out StoreError error)
    {
        (pack, at, error) = (null, 0, default);
        lock (_gate)
        {
            int index = _index.Table.Find(key);
            if (index < 0)
            {
                error = Missing(key);
                return false;
            }

            ref RecordEntry entry = ref _index.Table[index];
            if (offset < 0 || offset + (long)count > entry.Length)
            {
                string range = $"{offset}+{count} of {entry.Length} bytes";
                error = new StoreError(StoreErrorKind.Corrupt, key.Address.Short, range);
                return false;
            }

            _index.Touch(ref entry);
            pack = _files.Packs[entry.Pack]!;
            pack.BeginRead();
            at = entry.Offset;
            return true;
        }
    }
}
