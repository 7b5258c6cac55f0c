using Cairn.Core.Manifests;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tests.Manifests;

/// <summary>Random edits on a manifest do to its bytes what the same edits do to an array.</summary>
public sealed class ManifestTests
{
    private static readonly ManifestModel Model = new(seed: 77);

    [Fact]
    public void An_empty_manifest_has_nothing()
    {
        Assert.Equal(0, Manifest.Empty.SizeBytes);
        Assert.Empty(Manifest.Empty.Items);
        Assert.Same(Manifest.Empty, Manifest.Empty.Slice(0, 10));
        Assert.Same(Manifest.Empty, Manifest.Empty.PunchHole(5, 10));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Random_edits_agree_with_an_array(ulong seed)
    {
        Prng random = new(seed);
        Manifest manifest = Manifest.Empty;
        byte[] expected = [];
        for (int step = 0; step < 400; step++)
        {
            (manifest, expected) = Edit(random, manifest, expected);
            ManifestModel.CheckInvariants(manifest);
            Assert.Equal(expected, Model.Read(manifest));
            Manifest decoded = ManifestCodec.Decode(ManifestCodec.Encode(manifest)).Value;
            Assert.Equal(manifest, decoded);
        }
    }

    [Fact]
    public void Patches_in_one_pass_equal_patches_one_by_one()
    {
        Prng random = new(9);
        for (int round = 0; round < 200; round++)
        {
            Manifest manifest = Model.Random(random, items: 12);
            List<ManifestPatch> patches = [];
            long offset = 0;
            for (int i = random.Next(6); i > 0; i--)
            {
                patches.Add(new ManifestPatch(offset + random.Next(3000), Model.Random(random, items: 3)));
                offset = patches[^1].End;
            }

            Manifest oneByOne = manifest;
            foreach (ManifestPatch patch in patches)
            {
                oneByOne = oneByOne.Overlay(patch.Offset, patch.Content);
            }

            Assert.Equal(oneByOne, manifest.Overlay(patches.ToArray()));
        }
    }

    [Fact]
    public void Cutting_and_putting_together_again_gives_the_same_items()
    {
        Prng random = new(10);
        for (int round = 0; round < 200; round++)
        {
            Manifest manifest = Model.Random(random, items: 10);
            long cut = random.Next((int)manifest.SizeBytes + 1);
            ManifestBuilder builder = new();
            builder.Append(manifest.Slice(0, cut));
            builder.Append(manifest.Slice(cut, manifest.SizeBytes));
            Assert.Equal(Model.Read(manifest), Model.Read(builder.Build()));
            ManifestModel.CheckInvariants(builder.Build());
        }
    }

    [Fact]
    public void Locate_finds_every_byte()
    {
        Manifest manifest = Model.Random(new Prng(11), items: 20);
        for (long offset = 0; offset < manifest.SizeBytes; offset += 7)
        {
            ManifestPosition at = manifest.Locate(offset);
            Assert.Equal(offset, at.ItemStart + at.OffsetInItem);
            Assert.InRange(at.OffsetInItem, 0, manifest.Items[at.Index].LengthBytes - 1);
            Assert.Equal(at.ItemStart, manifest.StartOf(at.Index));
        }
    }

    [Fact]
    public void Data_and_holes_are_found_in_turn()
    {
        ManifestItem data = new ManifestItem.Inline(new byte[10]);
        Manifest manifest = Manifest.Of(new ManifestItem.Hole(5), data, new ManifestItem.Hole(7), data);

        Assert.Equal(5, manifest.NextData(0));
        Assert.Equal(9, manifest.NextData(9));
        Assert.Equal(22, manifest.NextData(15));
        Assert.Equal(0, manifest.NextHole(0));
        Assert.Equal(15, manifest.NextHole(5));
        Assert.Equal(32, manifest.NextHole(22));
        Assert.Equal(32, manifest.NextData(40));
        Assert.Equal(20, manifest.DataBytes);
    }

    [Fact]
    public void Chunks_and_addresses_are_named_once_in_order_of_first_use()
    {
        ChunkRef a = Model.NewChunk();
        ChunkRef b = Model.NewChunk();
        Manifest manifest = Manifest.Of(a.Whole(), b.Whole(), new ManifestItem.Hole(3), a.Whole());

        Assert.Equal([a, b], manifest.Chunks().AsEnumerable());
        Assert.Equal([a.Address, b.Address], manifest.Addresses().AsEnumerable());
    }

    [Fact]
    public void A_broken_range_is_a_bug_not_an_error()
    {
        ChunkRef chunk = Model.NewChunk();
        Assert.Throws<InvariantException>(() => new ManifestItem.Ref(chunk, 1, chunk.PlainLength));
        Assert.Throws<InvariantException>(() => new ManifestItem.Hole(0));
        Assert.Throws<InvariantException>(() => new ManifestItem.Inline(new byte[5000]));
        Assert.Throws<InvariantException>(() => Manifest.Empty.Locate(0));
        Manifest longest = Manifest.OfHole(long.MaxValue);
        Assert.Throws<InvariantException>(() => longest.Overlay(long.MaxValue, Manifest.OfHole(1)));
    }

    private static (Manifest Manifest, byte[] Bytes) Edit(Prng random, Manifest manifest, byte[] bytes)
    {
        int offset = random.Next(bytes.Length + 2000);
        int length = random.Next(3000);
        switch (random.Next(5))
        {
            case 0:
                return (manifest.Slice(offset, length), bytes.Skip(offset).Take(length).ToArray());
            case 1:
                Array.Resize(ref bytes, offset);
                return (manifest.Resize(offset), bytes);
            case 2:
                byte[] punched = [.. bytes];
                int end = Math.Min(bytes.Length, offset + length);
                punched.AsSpan(Math.Min(offset, end)..end).Clear();
                return (manifest.PunchHole(offset, length), punched);
            default:
                Manifest content = Model.Random(random, items: 1 + random.Next(4));
                byte[] written = [.. bytes];
                int size = Math.Max(bytes.Length, offset + (int)content.SizeBytes);
                Array.Resize(ref written, size);
                Model.Read(content).CopyTo(written, offset);
                return (manifest.Overlay(offset, content), written);
        }
    }
}
