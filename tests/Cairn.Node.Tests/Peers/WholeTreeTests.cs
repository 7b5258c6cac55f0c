using System.Globalization;
using System.Text;
using Cairn.Node.Volumes;

namespace Cairn.Node.Tests.Peers;

/// <summary>`ls`, `find` and `du` work with everything, wherever the contents are.</summary>
public sealed class WholeTreeTests
{
    private const int FileBytes = 150_000;
    private static readonly string[] Folders = ["", "docs/", "docs/2026/", "docs/2026/may/", "empty/", "pictures/"];

    /// <summary>A newcomer that has heard the log alone, and then nobody.</summary>
    [Fact]
    public void A_whole_tree_is_listed_with_everybody_cut_off_and_no_content_here()
    {
        PoolBench bench = PoolBench.WithDrives(3, 431);
        BenchNode desk = bench.Nodes[0];
        foreach (string folder in Folders.Where(folder => folder.Length > 0))
        {
            Assert.True(bench.Do(desk, async () =>
                (await desk.Drive.MakeDirectories(folder.TrimEnd('/'), parents: true, Caller.Daemon)).IsOk));
        }

        string[] files = [.. Folders.Where(folder => folder != "empty/").SelectMany(
            folder => Enumerable.Range(0, 3).Select(i => $"{folder}file {i}"))];
        foreach ((int i, string file) in files.Index())
        {
            Assert.True(bench.Put(desk, file, bench.Bytes(FileBytes + i)).IsOk);
        }

        bench.Until(() => bench.Nodes.TrueForAll(node => node.Status().Owed.SendChunks == 0), "copied");
        bench.Scheduler.RunFor(TimeSpan.FromSeconds(5));
        string[] listed = Find(bench, desk);
        Assert.Equal(files.Length + Folders.Length - 1, listed.Length);

        BenchNode laptop = bench.NewNode();
        bench.Join(laptop, desk);
        bench.Until(
            () => laptop.FindDrive() is not null && Find(bench, laptop).Length == listed.Length, "the tree is here");
        bench.Network.Split([laptop.Address], [.. bench.Nodes.SkipLast(1).Select(node => node.Address)]);
        bench.Until(() => laptop.Connected == 0, "it is alone");
        bench.Scheduler.RunFor(TimeSpan.FromMinutes(1));
        Assert.True(laptop.Status().Space is { ReplicatedBytes: 0, CachedBytes: 0, StagedBytes: 0 });
        Assert.All(files, file => Assert.Null(bench.Get(laptop, file)));
        Assert.Equal(listed, Find(bench, laptop));

        laptop.Kill();
        laptop.Start();
        bench.Until(() => laptop.FindDrive() is not null, "the drive is back");
        Assert.Equal(listed, Find(bench, laptop));
    }

    /// <summary>Everything below the root with what `find -ls` and `du` show, read a few names at a time.</summary>
    private static string[] Find(PoolBench bench, BenchNode node) => bench.Do(node, async () =>
    {
        List<string> lines = [];
        Queue<(string Path, InodeNumber Inode)> folders = new([(string.Empty, InodeNumber.Root)]);
        while (folders.TryDequeue(out (string Path, InodeNumber Inode) folder))
        {
            ulong cookie = 0;
            while (true)
            {
                IReadOnlyList<DirectoryEntry> entries =
                    (await node.Drive.ReadDirectory(folder.Inode, cookie, 2)).Value;
                if (entries.Count == 0)
                {
                    break;
                }

                cookie = entries[^1].Cookie;
                foreach (DirectoryEntry entry in entries)
                {
                    string path = folder.Path + Encoding.UTF8.GetString(entry.Name.Span);
                    ObjectAttributes found = (await node.Drive.GetAttributes(entry.Attributes.Inode)).Value;
                    lines.Add(string.Create(
                        CultureInfo.InvariantCulture,
                        $"{path} {found.Kind} {found.Mode} {found.SizeBytes} {found.DataBytes} {found.Modified}"));
                    if (found.Kind == ObjectKind.Directory)
                    {
                        folders.Enqueue((path + "/", found.Inode));
                    }
                }
            }
        }

        lines.Sort(StringComparer.Ordinal);
        return lines.ToArray();
    });
}
