using System.Buffers;
using Cairn.Core.Primitives;
using Cairn.Storage;
using Cairn.Storage.Home;
using Cairn.Storage.Ports;

namespace Cairn.Node.Pool;

/// <summary>What a home must know of its pool before it can read the pool's log: docs/formats/pool-home.md.</summary>
/// <param name="Pool">The pool.</param>
/// <param name="FounderKey">The founder's identity key: the first author of the pool's log.</param>
/// <param name="Bootstrap">The node that let this one in, trusted until the log names us; ourselves for the founder.</param>
/// <param name="SealedKeyring">The pool log's keyring, sealed to this node's own key.</param>
/// <param name="Records">Signed node records to begin with.</param>
internal sealed record PoolConfig(
    PoolId Pool,
    ReadOnlyMemory<byte> FounderKey,
    NodeId Bootstrap,
    ReadOnlyMemory<byte> SealedKeyring,
    IReadOnlyList<ReadOnlyMemory<byte>> Records)
{
    /// <summary>The layout's version.</summary>
    public const byte Version = 1;

    /// <summary>The file.</summary>
    public const string FileName = "pool";

    private const int BytesMax = 16 << 20;

    /// <summary>Reads the file; null when this home belongs to no pool yet.</summary>
    public static Result<PoolConfig?, StoreError> Load(IDisk disk)
    {
        Result<byte[]?, StoreError> read = SmallFile.Read(disk, FileName, BytesMax);
        return !read.TryGet(out byte[]? bytes, out StoreError error) ? error
            : bytes is null ? Result<PoolConfig?, StoreError>.Ok(null)
            : Decode(bytes);
    }

    /// <summary>Writes the file, whole or not at all.</summary>
    public Result<Unit, StoreError> Save(IDisk disk)
    {
        ArrayBufferWriter<byte> output = new(1024);
        WireWriter writer = new(output);
        writer.Byte(Version);
        writer.Bytes16(Pool.Value);
        writer.LengthPrefixed(FounderKey.Span);
        writer.Bytes32(Bootstrap.Value);
        writer.LengthPrefixed(SealedKeyring.Span);
        writer.Count(Records.Count);
        foreach (ReadOnlyMemory<byte> record in Records)
        {
            writer.LengthPrefixed(record.Span);
        }

        return SmallFile.Write(disk, FileName, output.WrittenSpan);
    }

    private static Result<PoolConfig?, StoreError> Decode(byte[] bytes)
    {
        WireReader reader = new(bytes);
        byte version = reader.Byte();
        if (version > Version)
        {
            return new StoreError(StoreErrorKind.NewerFormat, FileName, $"format {version}; this program knows {Version}");
        }

        PoolId pool = new(reader.Bytes16());
        byte[] founder = reader.LengthPrefixed(512).ToArray();
        NodeId bootstrap = new(reader.Bytes32());
        byte[] keyring = reader.LengthPrefixed(1 << 20).ToArray();
        int count = reader.Count();
        List<ReadOnlyMemory<byte>> records = [];
        for (int i = 0; i < count && !reader.Failed; i++)
        {
            records.Add(reader.LengthPrefixed(1 << 20).ToArray());
        }

        return reader.Complete && version == Version
            ? new PoolConfig(pool, founder, bootstrap, keyring, records)
            : new StoreError(StoreErrorKind.Corrupt, FileName, "it does not describe a pool");
    }
}
