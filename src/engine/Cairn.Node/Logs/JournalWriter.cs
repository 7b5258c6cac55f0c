using System.Buffers;
using Cairn.Coding.Encryption;
using Cairn.Core.Primitives;
using Cairn.Node.Logs.Recovery;
using Cairn.Storage;
using Cairn.Storage.Journaling;

namespace Cairn.Node.Logs;

/// <summary>Seals a volume's records and appends them to the node's journal, and opens them again.</summary>
/// <remarks>Thread: any. Allocates nothing for records up to 1 MiB. Format: docs/formats/volume-journal.md.</remarks>
public sealed class JournalWriter(Journal journal, JournalCipher ciphers, VolumeId volume)
{
    /// <summary>The journal itself.</summary>
    public Journal Journal { get; } = journal;

    /// <summary>The run that seals what is appended now.</summary>
    public Bytes16 Run => ciphers.Current.Run;

    /// <summary>Gives records of draft layers back.</summary>
    internal void Release(List<Drafts.JournalExtent> extents)
    {
        foreach (Drafts.JournalExtent extent in extents)
        {
            Journal.Release(extent.Position);
        }

        extents.Clear();
    }

    /// <summary>Appends a record.</summary>
    /// <param name="entry">What it is; volume, run and nonce are filled in.</param>
    /// <param name="plain">What it says; may be empty.</param>
    /// <param name="nonce">Where the payload starts in this run's nonces.</param>
    public Result<JournalPosition, StoreError> Append(in JournalEntry entry, ReadOnlySpan<byte> plain, out ulong nonce)
    {
        Span<byte> head = stackalloc byte[JournalEntry.Size];
        (entry with { Volume = volume }).WriteBound(head);
        ExtentCipher cipher = ciphers.Current;
        int sealedLength = ExtentCipher.SealedLength(plain.Length);
        byte[]? rented = sealedLength > 1024 ? ArrayPool<byte>.Shared.Rent(sealedLength) : null;
        Span<byte> sealedBytes = rented is null ? stackalloc byte[sealedLength] : rented.AsSpan(0, sealedLength);
        nonce = cipher.Seal(head[..JournalEntry.BoundSize], plain, sealedBytes);
        JournalEntry.WriteSeal(head, cipher.Run, nonce);
        JournalKind kind = entry.Type switch
        {
            JournalEntryType.Transaction => JournalKind.Operation,
            JournalEntryType.Extent => JournalKind.Extent,
            JournalEntryType.LayerBegun or JournalEntryType.Resized or JournalEntryType.Hole
                or JournalEntryType.TimeSet or JournalEntryType.ChunkStored => JournalKind.Note,
            _ => throw new System.Diagnostics.UnreachableException(),
        };
        Result<JournalPosition, StoreError> appended = Journal.Append(kind, head, sealedBytes);
        if (rented is not null)
        {
            ArrayPool<byte>.Shared.Return(rented);
        }

        return appended;
    }

    /// <summary>Opens the whole payload of a recovered record that is not an extent.</summary>
    public Result<byte[], SealError> Open(RecoveredRecord record)
    {
        Span<byte> head = stackalloc byte[JournalEntry.BoundSize];
        record.Entry.WriteBound(head);
        int tags = (record.Payload.Length + SegmentSealed - 1) / SegmentSealed * SegmentCipherTag;
        int length = record.Payload.Length - Math.Max(SegmentCipherTag, tags);
        if (length < 0 || ExtentCipher.SealedLength(length) != record.Payload.Length)
        {
            return SealError.WrongLength;
        }

        byte[] plain = new byte[length];
        Result<Unit, SealError> opened = ciphers.Of(record.Entry.Run).Open(
            record.Entry.Nonce, head, length, 0, record.Payload.Span, plain);
        return opened.IsOk ? plain : opened.Error;
    }

    /// <summary>Reads a range of an extent's plain bytes.</summary>
    /// <param name="position">Where the record is.</param>
    /// <param name="entry">Its head.</param>
    /// <param name="offset">From the extent's first byte.</param>
    /// <param name="plain">Filled.</param>
    public Result<Unit, StoreError> Read(JournalPosition position, in JournalEntry entry, int offset, Span<byte> plain)
    {
        Span<byte> head = stackalloc byte[JournalEntry.BoundSize];
        entry.WriteBound(head);
        int length = (int)entry.Length;
        StoredRange range = ExtentCipher.RangeOf(length, offset, plain.Length);
        byte[] rented = ArrayPool<byte>.Shared.Rent(range.Length);
        Span<byte> sealedRange = rented.AsSpan(0, range.Length);
        Result<Unit, StoreError> read = Journal.Read(position, range.Offset, sealedRange);
        if (read.IsOk)
        {
            Result<Unit, SealError> opened =
                ciphers.Of(entry.Run).Open(entry.Nonce, head, length, offset, sealedRange, plain);
            read = opened.IsOk ? read : new StoreError(
                StoreErrorKind.Corrupt, $"journal {position}", $"an extent does not open: {opened.Error}");
        }

        ArrayPool<byte>.Shared.Return(rented);
        return read;
    }

    private const int SegmentCipherTag = 16;

    private const int SegmentSealed = (16 * 1024) + SegmentCipherTag;
}
