using System.Text;
using Cairn.Core.Primitives;
using Cairn.Node.Tests.Peers;
using Cairn.Node.Volumes;

namespace Cairn.Node.Tests.LocalFiles;

/// <summary>A `.cairnignore` larger than what is inlined of any file: it is obeyed where nobody else can be reached, too.</summary>
public sealed class NearIgnoreFileTests
{
    private const string File = ".cairnignore";

    private readonly PoolBench _bench = PoolBench.WithDrives(6, 33);   // two more than hold a chunk

    private BenchNode Writer => _bench.Nodes[0];

    [Theory]
    [InlineData("written")]
    [InlineData("renamed")]
    [InlineData("put")]
    [InlineData("appended")]
    public void It_is_obeyed_by_a_machine_that_is_alone_since_its_start(string how)
    {
        byte[] patterns = Encoding.ASCII.GetBytes("*.tmp\n" + string.Concat(Enumerable.Repeat("# and more\n", 200)));
        switch (how)
        {
            case "renamed":
                Put(".saved", patterns);
                _bench.Scheduler.RunFor(TimeSpan.FromSeconds(10));
                Rename(".saved");
                break;
            case "put":
                Put(".saved", patterns);
                Rename(".saved");
                break;
            case "appended":
                Put(File, patterns[..300]);
                _bench.Scheduler.RunFor(TimeSpan.FromSeconds(10));
                Append(patterns[300..]);
                break;
            default:
                Put(File, patterns);
                break;
        }

        // Not read: that would fetch it.
        _bench.Until(() => _bench.Nodes.TrueForAll(node => SizeOn(node) == patterns.Length), "all know of it");
        _bench.Scheduler.RunFor(TimeSpan.FromMinutes(1));
        foreach (BenchNode node in _bench.Nodes)
        {
            node.Kill();
        }

        foreach (BenchNode node in _bench.Nodes.Skip(1))
        {
            node.Start();
            _bench.Until(() => node.FindDrive() is not null, "its drive is there");
            Assert.Equal(patterns, _bench.Get(node, File));
            Assert.True(_bench.Put(node, $"of {node.Options.Name}.tmp", [1]).IsOk);
            node.Kill();
        }

        foreach (BenchNode node in _bench.Nodes)
        {
            node.Start();
        }

        _bench.Until(() => _bench.Nodes.TrueForAll(node => node.Connected == 5), "all are connected");
        Assert.True(_bench.Put(_bench.Nodes[^1], "last", [1]).IsOk);
        _bench.Until(() => _bench.Get(Writer, "last") is not null, "what is written afterwards arrives");
        Assert.All(_bench.Nodes.Skip(1), node => Assert.Null(_bench.Get(Writer, $"of {node.Options.Name}.tmp")));
        _bench.AssertNoFailures();
    }

    private long SizeOn(BenchNode node) => _bench.Do(node, async () =>
        (await node.Drive.Resolve(File)).TryGet(out ObjectAttributes file, out _) ? file.SizeBytes : 0);

    private void Put(string name, byte[] content) => Assert.True(_bench.Put(Writer, name, content).IsOk);

    private void Rename(string name) => Assert.True(_bench.Do(Writer, async () => (await Writer.Drive.Rename(
        InodeNumber.Root, Encoding.ASCII.GetBytes(name), InodeNumber.Root, Encoding.ASCII.GetBytes(File),
        RenameMode.Replace, Caller.Daemon)).IsOk));

    private void Append(byte[] content) => Assert.True(_bench.Do(Writer, async () =>
    {
        ObjectAttributes file = (await Writer.Drive.Resolve(File)).Value;
        OpenHandle handle = (await Writer.Drive.Open(
            file.Inode, OpenIntent.Write | OpenIntent.Append, Caller.Daemon)).Value.Handle;
        Result<int, VolumeError> written = await Writer.Drive.Write(handle, 0, content);
        return written.IsOk && (await Writer.Drive.Release(handle)).IsOk;
    }));
}
