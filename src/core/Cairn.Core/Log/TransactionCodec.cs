using System.Buffers;
using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Cairn.Core.Primitives;

namespace Cairn.Core.Log;

/// <summary>
/// Bytes of a transaction, alone (in the journal) or in a row (in a block). docs/formats/transaction.md.
/// </summary>
/// <remarks>
/// One transaction has one encoding. Decoding never throws, and never allocates more than the input is long, by a
/// small factor.
/// </remarks>
public static class TransactionCodec
{
    /// <summary>The version of both layouts.</summary>
    public const byte FormatVersion = 1;

    private const int DependenciesMax = 4096;

    /// <summary>Writes a transaction that says itself who it is.</summary>
    public static void Encode(Transaction transaction, IBufferWriter<byte> output)
    {
        var writer = new WireWriter(output);
        writer.Byte(FormatVersion);
        EncodeId(writer, transaction.Id);
        EncodeBody(writer, transaction);
    }

    /// <summary>A transaction that says itself who it is, as a new array.</summary>
    public static byte[] Encode(Transaction transaction)
    {
        var output = new ArrayBufferWriter<byte>(256);
        Encode(transaction, output);
        return output.WrittenSpan.ToArray();
    }

    /// <summary>
    /// Reads what <see cref="Encode(Transaction, IBufferWriter{byte})"/> wrote; all bytes must be used.
    /// </summary>
    public static Result<Transaction, LogError> Decode(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        byte version = reader.Byte();
        if (!reader.Failed && version > FormatVersion)
        {
            return LogError.NewerFormat;
        }

        reader.Require(version == FormatVersion);
        LogError error = LogError.Malformed;
        TransactionId id = DecodeId(ref reader);
        Transaction? transaction = DecodeBody(ref reader, id, ref error);
        return reader.Complete && transaction is not null ? transaction : error;
    }

    /// <summary>Writes consecutive transactions of one log: the plain payload of a block.</summary>
    public static void EncodeRun(ReadOnlySpan<Transaction> transactions, IBufferWriter<byte> output)
    {
        var writer = new WireWriter(output);
        writer.Byte(FormatVersion);
        writer.Count(transactions.Length);
        for (int i = 0; i < transactions.Length; i++)
        {
            Invariant.That(
                transactions[i].Id == transactions[0].Id with { Seq = transactions[0].Id.Seq + (ulong)i },
                $"{transactions[i].Id} does not follow {transactions[0].Id} by {i}");
            EncodeBody(writer, transactions[i]);
        }
    }

    /// <summary>Reads a run whose first transaction is <paramref name="first"/>; all bytes must be used.</summary>
    public static Result<ImmutableArray<Transaction>, LogError> DecodeRun(ReadOnlySpan<byte> bytes, TransactionId first)
    {
        var reader = new WireReader(bytes);
        byte version = reader.Byte();
        if (!reader.Failed && version > FormatVersion)
        {
            return LogError.NewerFormat;
        }

        reader.Require(version == FormatVersion);
        var transactions = new Transaction[reader.Count(10)];
        LogError error = LogError.Malformed;
        for (int i = 0; i < transactions.Length; i++)
        {
            if (DecodeBody(ref reader, first with { Seq = first.Seq + (ulong)i }, ref error) is not { } transaction)
            {
                return error;
            }

            transactions[i] = transaction;
        }

        return reader.Complete ? ImmutableCollectionsMarshal.AsImmutableArray(transactions) : error;
    }

    internal static void EncodeId(WireWriter writer, TransactionId id)
    {
        writer.Bytes32(id.Log.Author.Value);
        writer.VarUInt(id.Log.Incarnation);
        writer.VarUInt(id.Seq);
    }

    internal static TransactionId DecodeId(ref WireReader reader)
    {
        var author = new NodeId(reader.Bytes32());
        ulong incarnation = reader.VarUInt();
        ulong seq = reader.VarUInt();
        reader.Require(incarnation is > 0 and <= uint.MaxValue && seq > 0);
        return new TransactionId(new LogId(author, (uint)incarnation), seq);
    }

    private static void EncodeBody(WireWriter writer, Transaction transaction)
    {
        writer.Count(transaction.Dependencies.Length);
        foreach (TransactionId dependency in transaction.Dependencies)
        {
            EncodeId(writer, dependency);
        }

        writer.Int64(transaction.Claimed.UnixNanoseconds);
        writer.Count(transaction.Primitives.Length);
        foreach (Primitive primitive in transaction.Primitives)
        {
            PrimitiveCodec.Encode(writer, primitive);
        }
    }

    private static Transaction? DecodeBody(ref WireReader reader, TransactionId id, ref LogError error)
    {
        int count = reader.Count(NodeId.Size + 2);
        reader.Require(count <= DependenciesMax);
        TransactionId[] dependencies = count == 0 || reader.Failed ? [] : new TransactionId[count];
        for (int i = 0; i < dependencies.Length; i++)
        {
            dependencies[i] = DecodeId(ref reader);
            reader.Require((i == 0 || dependencies[i - 1] < dependencies[i]) && dependencies[i].Log != id.Log);
        }

        var claimed = new WallTime(reader.Int64());
        int primitiveCount = reader.Count(2);
        reader.Require(primitiveCount > 0);
        if (reader.Failed)
        {
            return null;
        }

        var primitives = new Primitive[primitiveCount];
        for (int i = 0; i < primitiveCount; i++)
        {
            if (PrimitiveCodec.Decode(ref reader, ref error) is not { } primitive || reader.Failed)
            {
                return null;
            }

            primitives[i] = primitive;
        }

        return new Transaction(
            id, ImmutableCollectionsMarshal.AsImmutableArray(dependencies), claimed,
            ImmutableCollectionsMarshal.AsImmutableArray(primitives));
    }
}
