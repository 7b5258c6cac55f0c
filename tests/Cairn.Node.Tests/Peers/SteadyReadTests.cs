using Cairn.Node.Volumes;

namespace Cairn.Node.Tests.Peers;

/// <summary>Who reads a file out of the drive in one go gets one version of it, whatever others write meanwhile.</summary>
public sealed class SteadyReadTests
{
    private const int Part = 1 << 20;

    [Fact]
    public void What_was_begun_is_read_to_its_end_though_another_node_writes_in_the_middle()
    {
        PoolBench bench = PoolBench.WithDrives(2, 171);
        (BenchNode reader, BenchNode writer) = (bench.Nodes[0], bench.Nodes[1]);
        byte[] old = bench.Bytes(3 * Part);
        byte[] now = bench.Bytes(3 * Part);
        Assert.True(bench.Put(reader, "file", old).IsOk);
        bench.Until(() => bench.Get(writer, "file") is { Length: 3 * Part }, "the file is on both");
        OpenHandle steady = Open(bench, reader, OpenIntent.Read | OpenIntent.Steady);
        OpenHandle follows = Open(bench, reader, OpenIntent.Read);
        Assert.Equal(old[..Part], Read(bench, reader, steady, 0));

        OpenHandle written = Open(bench, writer, OpenIntent.Write);
        Assert.True(bench.Do(writer, () => writer.Drive.Write(written, 0, now).AsTask()).IsOk);
        Assert.True(bench.Do(writer, () => writer.Drive.Release(written).AsTask()).IsOk);
        bench.Until(
            () => Read(bench, reader, follows, Part).AsSpan().SequenceEqual(now.AsSpan(Part, Part)), "a mount follows");

        Assert.Equal(old[Part..(2 * Part)], Read(bench, reader, steady, Part));
        Assert.Equal(old[(2 * Part)..], Read(bench, reader, steady, 2 * Part));
        Assert.Equal(now[..Part], Read(bench, reader, Open(bench, reader, OpenIntent.Read | OpenIntent.Steady), 0));
    }

    /// <summary>What is written here and not published yet is not hidden from who reads here.</summary>
    [Fact]
    public void What_this_node_has_written_a_moment_ago_is_read()
    {
        PoolBench bench = PoolBench.WithDrives(1, 172);
        BenchNode node = bench.Nodes[0];
        Assert.True(bench.Put(node, "file", bench.Bytes(Part)).IsOk);
        byte[] now = bench.Bytes(Part);
        OpenHandle written = Open(bench, node, OpenIntent.Write);
        Assert.True(bench.Do(node, () => node.Drive.Write(written, 0, now).AsTask()).IsOk);
        Assert.Equal(now, Read(bench, node, Open(bench, node, OpenIntent.Read | OpenIntent.Steady), 0));
    }

    private static OpenHandle Open(PoolBench bench, BenchNode node, OpenIntent intent) => bench.Do(node, async () =>
    {
        ObjectAttributes file = (await node.Drive.Resolve("file")).Value;
        return (await node.Drive.Open(file.Inode, intent, Caller.Daemon)).Value.Handle;
    });

    private static byte[] Read(PoolBench bench, BenchNode node, OpenHandle handle, long offset) => bench.Do(
        node,
        async () =>
        {
            byte[] bytes = new byte[Part];
            int count = 0;
            for (int last = 1; last > 0 && count < Part; count += last)
            {
                Memory<byte> rest = bytes.AsMemory(count);
                last = (await node.Drive.Read(handle, offset + count, rest)).TryGet(out int read, out _) ? read : 0;
            }

            return bytes[..count];
        });
}
