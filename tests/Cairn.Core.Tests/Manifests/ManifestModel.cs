using Cairn.Core.Manifests;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tests.Manifests;

/// <summary>Chunks with known content, so that what a manifest means can be read as bytes.</summary>
internal sealed class ManifestModel
{
    private readonly Prng _random;
    private readonly List<ChunkRef> _chunks = [];
    private readonly Dictionary<ChunkRef, byte[]> _content = [];
    private readonly EpochId[] _epochs;

    public ManifestModel(ulong seed)
    {
        _random = new Prng(seed);
        _epochs = [new EpochId(Bytes(16)), new EpochId(Bytes(16))];
        for (int i = 0; i < 8; i++)
        {
            NewChunk();
        }
    }

    public ChunkRef NewChunk()
    {
        int length = 1 + _random.Next(1000);
        ChunkEncoding encoding = _random.Chance(3) ? ChunkEncoding.Compressed : ChunkEncoding.Raw;
        EpochId epoch = _epochs[_random.Next(2)];
        ChunkRef chunk = new(
            new ChunkId(Bytes(32)), new ChunkAddress(Bytes(32)), epoch, length, length + 48, encoding);
        _chunks.Add(chunk);
        _content.Add(chunk, Bytes(length));
        return chunk;
    }

    public Manifest Random(Prng random, int items)
    {
        ManifestBuilder builder = new();
        for (int i = 0; i < items; i++)
        {
            builder.Append(Item(random));
        }

        return builder.Build();
    }

    public byte[] Read(Manifest manifest)
    {
        byte[] bytes = new byte[manifest.SizeBytes];
        for (int i = 0; i < manifest.Items.Length; i++)
        {
            Span<byte> target = bytes.AsSpan((int)manifest.StartOf(i), (int)manifest.Items[i].LengthBytes);
            switch (manifest.Items[i])
            {
                case ManifestItem.Inline inline:
                    inline.Bytes.Span.CopyTo(target);
                    break;
                case ManifestItem.Ref part:
                    _content[part.Chunk].AsSpan(part.Offset, part.Length).CopyTo(target);
                    break;
                default:
                    target.Clear();
                    break;
            }
        }

        return bytes;
    }

    public static void CheckInvariants(Manifest manifest)
    {
        Assert.Equal(manifest.Items.Sum(item => item.LengthBytes), manifest.SizeBytes);
        IEnumerable<ManifestItem> data = manifest.Items.Where(item => item is not ManifestItem.Hole);
        Assert.Equal(data.Sum(item => item.LengthBytes), manifest.DataBytes);
        foreach ((ManifestItem first, ManifestItem second) in manifest.Items.Zip(manifest.Items.Skip(1)))
        {
            Assert.False(first is ManifestItem.Hole && second is ManifestItem.Hole, "two holes side by side");
            bool adjoin = first is ManifestItem.Ref a && second is ManifestItem.Ref b
                && a.Chunk.Equals(b.Chunk) && a.Offset + a.Length == b.Offset;
            Assert.False(adjoin, "two adjoining ranges of one chunk");
        }
    }

    private ManifestItem Item(Prng random)
    {
        switch (random.Next(4))
        {
            case 0:
                return new ManifestItem.Hole(1 + random.Next(500));
            case 1:
                byte[] bytes = new byte[1 + random.Next(100)];
                random.Fill(bytes);
                return new ManifestItem.Inline(bytes);
            default:
                ChunkRef chunk = _chunks[random.Next(8)];
                int offset = random.Next(chunk.PlainLength);
                return new ManifestItem.Ref(chunk, offset, 1 + random.Next(chunk.PlainLength - offset));
        }
    }

    private byte[] Bytes(int length)
    {
        byte[] bytes = new byte[length];
        _random.Fill(bytes);
        return bytes;
    }
}
