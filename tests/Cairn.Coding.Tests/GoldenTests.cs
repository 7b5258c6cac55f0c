using System.Runtime.CompilerServices;
using Cairn.Coding.Bundles;
using Cairn.Coding.Encryption;
using Cairn.Coding.Hashing;
using Cairn.Core.Manifests;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Tests;

/// <summary>Committed bytes of every sealed format: they must be written and opened so for ever.</summary>
/// <remarks>
/// A file under Golden/ is never changed. A new format version gets a new file and the old one must still open.
/// </remarks>
public sealed class GoldenTests
{
    private static readonly VolumeKeyring Keys = TestKeys.Keyring(4000);
    private static readonly LogId Log = new(new NodeId(TestKeys.Bytes(4100, 32)), 2);
    private static readonly byte[] Shared = TestKeys.Bytes(4200, 32);
    private static readonly byte[] Salt = TestKeys.Bytes(4300, 32);
    private static readonly byte[] Plain = TestKeys.Bytes(4400, 100);

    [Fact]
    public void Chunk_with_two_segments()
    {
        byte[] plain = TestKeys.Bytes(4500, 16384 + 10);
        byte[] stored = new byte[ChunkCodec.StoredLength(plain.Length)];
        ChunkRef chunk = ChunkCodec.Encode(Keys, ChunkHasher.Id(Keys.Dedup, plain), plain, stored);
        byte[] golden = Check("chunk-raw-v1", stored);
        byte[] opened = new byte[plain.Length];
        Assert.True(ChunkCodec.Decode(Keys, chunk, golden, opened).IsOk);
        Assert.Equal(plain, opened);
        Check("chunk-raw-v1-id", chunk.Id.Value.ToArray());
        Check("chunk-raw-v1-address", chunk.Address.Value.ToArray());
    }

    [Fact]
    public void Compressed_chunk_opens()
    {
        byte[] plain = new byte[5000];
        byte[] stored = new byte[ChunkCodec.StoredLength(plain.Length)];
        ChunkId id = ChunkHasher.Id(Keys.Dedup, plain);
        ChunkRef? made = ChunkCodec.TryEncodeCompressed(Keys, id, plain, Salt.AsSpan(0, 16), stored);
        Assert.NotNull(made);

        // Only opened: another build of the compressor may write other bytes, which is what the salt is for.
        byte[] golden = Read("chunk-compressed-v1", stored.AsSpan(0, made.StoredLength));
        ChunkRef chunk = made with { Address = ChunkHasher.Address(golden), StoredLength = golden.Length };
        byte[] opened = TestKeys.Bytes(1, plain.Length);
        Assert.True(ChunkCodec.Decode(Keys, chunk, golden, opened).IsOk);
        Assert.Equal(plain, opened);
    }

    [Fact]
    public void Keyring()
    {
        VolumeKeyring keys = Keys.With(TestKeys.Epoch(4600));
        byte[] golden = Check("keyring-v1", keys.Encode());
        Assert.Equal(keys.Encode(), VolumeKeyring.Decode(golden).Value.Encode());
    }

    [Fact]
    public void Log_payload()
    {
        byte[] sealedBytes = new byte[Plain.Length + LogCipher.Overhead];
        LogCipher.Seal(Keys.Current, Keys.Volume, Log, 9, Plain, sealedBytes);
        byte[] golden = Check("log-payload-v1", sealedBytes);
        byte[] opened = new byte[Plain.Length];
        Assert.True(LogCipher.Open(Keys, Keys.Current.Id, Log, 9, golden, opened).IsOk);
        Assert.Equal(Plain, opened);
    }

    [Fact]
    public void Extent()
    {
        using ExtentCipher cipher = new(Shared, new Bytes16(Salt.AsSpan(0, 16)));
        byte[] sealedBytes = new byte[ExtentCipher.SealedLength(Plain.Length)];
        cipher.Seal([], [0], new byte[17]);
        ulong nonce = cipher.Seal("place"u8, Plain, sealedBytes);
        byte[] golden = Check("extent-v1", sealedBytes);
        byte[] opened = new byte[Plain.Length];
        Assert.Equal(1ul, nonce);
        Assert.True(cipher.Open(nonce, "place"u8, Plain.Length, 0, golden, opened).IsOk);
        Assert.Equal(Plain, opened);
    }

    [Fact]
    public void Index_value_and_name()
    {
        using IndexCipher cipher = new(Shared, Salt, 0x0102030405060708);
        byte[] sealedBytes = new byte[Plain.Length + IndexCipher.Overhead];
        cipher.Seal("first"u8, [], new byte[IndexCipher.Overhead]);
        cipher.Seal("key"u8, Plain, sealedBytes);
        byte[] golden = Check("index-value-v1", sealedBytes);
        byte[] opened = new byte[Plain.Length];
        Assert.True(cipher.TryOpen("key"u8, golden, opened));
        Assert.Equal(Plain, opened);
        byte[] mask = new byte[IndexCipher.MaskSize];
        cipher.Mask("directory and name"u8, mask);
        Check("index-name-v1", mask);
    }

    [Fact]
    public void Wrapped_key()
    {
        byte[] golden = Check("key-wrap-v1", KeyWrap.Wrap(Shared, Salt, "context"u8, Plain));
        Assert.Equal(Plain, KeyWrap.Unwrap(Shared, "context"u8, golden).Value);
    }

    [Fact]
    public void Passphrase_seal()
    {
        byte[] golden = Check("passphrase-seal-v1", PassphraseSeal.Seal("cairn", Salt.AsSpan(0, 16), 1000, Plain));
        Assert.Equal(Plain, PassphraseSeal.Open("cairn", golden).Value);
    }

    [Fact]
    public void Datagram()
    {
        NodeId from = new(TestKeys.Bytes(4700, 32));
        NodeId to = new(TestKeys.Bytes(4800, 32));
        using DatagramSender sender = new(Shared, from, to, session: 0x0123456789ABCDEF);
        byte[] datagram = new byte[Plain.Length + DatagramSender.Overhead];
        sender.Seal(Plain, datagram);
        byte[] golden = Check("datagram-v1", datagram);
        using DatagramReceiver receiver = new(Shared, from, to);
        byte[] opened = new byte[Plain.Length];
        Assert.Equal(Plain.Length, receiver.Open(golden, opened).Value);
        Assert.Equal(Plain, opened);
    }

    [Fact]
    public void Bundle()
    {
        using BundleBuilder builder = new();
        builder.TryAdd("first"u8, out _);
        builder.TryAdd(TestKeys.Bytes(4900, 200), out _);
        byte[] golden = Check("bundle-v1", builder.Finish().ToArray());
        Assert.Equal([new BundleItem(0, 5), new BundleItem(5, 200)], BundleReader.Read(golden).Value.AsEnumerable());
    }

    /// <summary>The committed bytes, which must be what is written today.</summary>
    private static byte[] Check(string name, byte[] actual)
    {
        byte[] golden = Read(name, actual);
        Assert.Equal(Convert.ToHexStringLower(golden), Convert.ToHexStringLower(actual));
        return golden;
    }

    /// <summary>
    /// The committed bytes. With CAIRN_GOLDEN=write, a file that does not exist yet is written first.
    /// </summary>
    private static byte[] Read(string name, ReadOnlySpan<byte> actual, [CallerFilePath] string source = "")
    {
        string path = Path.Combine(Path.GetDirectoryName(source)!, "Golden", name + ".hex");
        if (!File.Exists(path) && Environment.GetEnvironmentVariable("CAIRN_GOLDEN") == "write")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllLines(path, Convert.ToHexStringLower(actual).Chunk(96).Select(line => new string(line)));
        }

        return Convert.FromHexString(string.Concat(File.ReadLines(path)));
    }
}
