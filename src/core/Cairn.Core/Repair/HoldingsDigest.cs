using System.Buffers;
using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;
using Cairn.Core.Placement;
using Cairn.Core.Primitives;

namespace Cairn.Core.Repair;

/// <summary>The digest of one partition, as a node reports it.</summary>
/// <param name="Partition">Which.</param>
/// <param name="Digest">What it holds there that is owed; cached extras do not count.</param>
public readonly record struct PartitionReport(PartitionId Partition, PartitionDigest Digest);

/// <summary>What two nodes should have in common, in one hash: equal hashes need no more talk.</summary>
/// <remarks>
/// Format: docs/formats/holdings.md. Both sides take the partitions that placement gives to both, so two nodes whose
/// tables differ for a moment compare different sets, see a difference, and settle it partition by partition.
/// </remarks>
public static class HoldingsDigest
{
    private const int ReportBytes = sizeof(ushort) + PartitionDigest.Size;

    /// <summary>The partitions that a table has both nodes answer for, ascending.</summary>
    public static List<PartitionId> Shared(PlacementTable table, NodeId one, NodeId other)
    {
        List<PartitionId> shared = [];
        ReadOnlySpan<ulong> mine = table.AnsweredBy(one);
        ReadOnlySpan<ulong> theirs = table.AnsweredBy(other);
        for (int word = 0; word < mine.Length && word < theirs.Length; word++)
        {
            for (ulong both = mine[word] & theirs[word]; both != 0; both &= both - 1)
            {
                shared.Add(new PartitionId((ushort)((word * 64) + BitOperations.TrailingZeroCount(both))));
            }
        }

        return shared;
    }

    /// <summary>The root over some partitions' digests, which must ascend.</summary>
    public static Bytes32 Root(IReadOnlyList<PartitionReport> reports)
    {
        // Hundreds of KiB in a pool whose members answer for everything, again and again while chunks come: borrowed.
        byte[] head = Head(reports.Count);
        int length = head.Length + (reports.Count * ReportBytes);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(length);
        Write(head, reports, buffer);
        Bytes32 root = new(SHA256.HashData(buffer.AsSpan(0, length)));
        ArrayPool<byte>.Shared.Return(buffer);
        return root;
    }

    /// <summary>Count, then partition and digest of each, ascending: what is sent when the roots differ.</summary>
    public static byte[] Encode(IReadOnlyList<PartitionReport> reports)
    {
        byte[] head = Head(reports.Count);
        byte[] output = new byte[head.Length + (reports.Count * ReportBytes)];
        Write(head, reports, output);
        return output;
    }

    /// <summary>Reads reports from a peer; null when the bytes are not reports.</summary>
    public static IReadOnlyList<PartitionReport>? Decode(ReadOnlySpan<byte> bytes)
    {
        WireReader reader = new(bytes);
        int count = reader.Count(2 + PartitionDigest.Size);
        List<PartitionReport> reports = new(count);
        for (int i = 0; i < count && !reader.Failed; i++)
        {
            ushort partition = reader.UInt16();
            ReadOnlySpan<byte> digest = reader.Raw(PartitionDigest.Size);
            reader.Require(partition < PartitionId.Count && (i == 0 || reports[^1].Partition.Value < partition));
            if (!reader.Failed)
            {
                reports.Add(new PartitionReport(new PartitionId(partition), PartitionDigest.Read(digest)));
            }
        }

        return reader.Complete ? reports : null;
    }

    /// <summary>
    /// The partitions in which two sides differ; one that only one side reports differs unless it is empty.
    /// </summary>
    public static List<PartitionId> Differences(
        IReadOnlyList<PartitionReport> mine, IReadOnlyList<PartitionReport> theirs)
    {
        List<PartitionId> differences = [];
        int i = 0;
        int j = 0;
        while (i < mine.Count || j < theirs.Count)
        {
            bool hasMine = i < mine.Count && (j == theirs.Count || mine[i].Partition <= theirs[j].Partition);
            bool hasTheirs = j < theirs.Count && (i == mine.Count || theirs[j].Partition <= mine[i].Partition);
            PartitionDigest left = hasMine ? mine[i].Digest : PartitionDigest.Empty;
            PartitionDigest right = hasTheirs ? theirs[j].Digest : PartitionDigest.Empty;
            if (left != right)
            {
                differences.Add(hasMine ? mine[i].Partition : theirs[j].Partition);
            }

            i += hasMine ? 1 : 0;
            j += hasTheirs ? 1 : 0;
        }

        return differences;
    }

    private static byte[] Head(int count)
    {
        ArrayBufferWriter<byte> output = new(sizeof(uint) + 1);
        new WireWriter(output).Count(count);
        return output.WrittenSpan.ToArray();
    }

    private static void Write(byte[] head, IReadOnlyList<PartitionReport> reports, Span<byte> output)
    {
        head.CopyTo(output);
        output = output[head.Length..];
        int last = -1;
        for (int i = 0; i < reports.Count; i++)
        {
            PartitionReport report = reports[i];
            Invariant.That(last < report.Partition.Value, "reports that do not ascend");
            last = report.Partition.Value;
            BinaryPrimitives.WriteUInt16LittleEndian(output, report.Partition.Value);
            report.Digest.CopyTo(output.Slice(sizeof(ushort), PartitionDigest.Size));
            output = output[ReportBytes..];
        }
    }
}
