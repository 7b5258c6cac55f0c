using System.Text;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Volumes;

namespace Cairn.Node.Tests.Peers;

/// <summary>
/// Random work on volumes and their clones while nodes are cut off and killed, and everything that may go is collected
/// at once: every clone shows to the end exactly what it began with and what was done in it.
/// </summary>
public sealed class CloneChaosTests
{
    private const int Steps = 50;
    private const int FileBytes = 20_000;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Clones_are_whole_whatever_is_removed_cut_off_and_killed_around_them(ulong seed)
    {
        Run run = new(PoolBench.WithDrives(3, 7700 + seed));
        for (int step = 0; step < Steps; step++)
        {
            run.Next();
        }

        run.Check();
    }

    private sealed class Run(PoolBench bench)
    {
        private readonly Dictionary<string, byte[]> _contents = [];
        private readonly SortedDictionary<string, SortedSet<string>> _clones = new(StringComparer.Ordinal);
        private int _number;

        public void Next()
        {
            BenchNode node = bench.Nodes[bench.Random.Next(3)];
            string volume = _clones.Count > 0 && bench.Random.Chance(3) ? Any(_clones.Keys) : "shared";
            bool isOpen = node.FindDrive(volume) is not null;
            switch (bench.Random.Next(12))
            {
                case 0 or 1 or 2 when isOpen:
                    Put(node, volume);
                    break;
                case 3 or 4 when isOpen:
                    Delete(node, volume);
                    break;
                case 5 when isOpen:
                    Do(node, drive => drive.Snapshots!.Create(InodeNumber.Root, Name("s"), default).AsTask(), volume);
                    break;
                case 6 when isOpen && Snapshots(node, volume) is { Length: > 0 } all:
                    Do(node, drive => Task.FromResult(drive.Snapshots!.Remove(Any(all))), volume);
                    break;
                case 7 or 8 when isOpen && Snapshots(node, volume) is { Length: > 0 } all:
                    Clone(node, volume, Any(all));
                    break;
                case 9 when volume != "shared" && bench.Random.Chance(3)
                    && bench.Do(node, () => node.Node.RemoveVolume(volume, default).AsTask()).IsOk:
                    _clones.Remove(volume);
                    break;
                case 10 when bench.Random.Chance(2):
                    bench.Nodes.Where(other => other != node).ToList()
                        .ForEach(other => bench.Network.Cut(node.Address, other.Address));
                    break;
                case 10:
                    bench.Network.HealAll();
                    break;
                case 11:
                    node.Kill();
                    node.Start();
                    break;
                default:
                    break;
            }

            bench.Scheduler.RunFor(TimeSpan.FromSeconds(bench.Random.Next(30)));
        }

        public void Check()
        {
            bench.Network.HealAll();
            bench.Until(() => bench.Nodes.TrueForAll(node => node.Connected == 2), "all are connected");
            bench.Scheduler.RunFor(TimeSpan.FromMinutes(3));
            Assert.NotEmpty(_clones);
            foreach (BenchNode node in bench.Nodes)
            {
                foreach ((string clone, SortedSet<string> names) in _clones)
                {
                    Assert.Equal(names, List(node, clone, string.Empty));
                    Assert.All(names, name => Assert.Equal(
                        _contents[name], bench.Do(node, () => DriveFiles.Read(node.FindDrive(clone)!, name))));
                }
            }

            bench.AssertNoFailures();
        }

        private void Put(BenchNode node, string volume)
        {
            string name = $"f{++_number}";
            _contents[name] = bench.Bytes(FileBytes);
            if (bench.Put(node, name, _contents[name], volume).IsOk && _clones.TryGetValue(volume, out var names))
            {
                names.Add(name);
            }
        }

        /// <summary>For good: nothing but a snapshot keeps it.</summary>
        private void Delete(BenchNode node, string volume)
        {
            if (List(node, volume, string.Empty) is { Count: > 0 } all)
            {
                string name = Any(all);
                Assert.True(bench.Delete(node, name, volume));
                Do(node, drive => Task.FromResult(drive.History!.EmptyTrash()), volume);
                _clones.GetValueOrDefault(volume)?.Remove(name);
            }
        }

        private void Clone(BenchNode node, string volume, string snapshot)
        {
            string name = $"clone{++_number}";
            SortedSet<string> shown = List(node, volume, ".snapshots/" + snapshot);
            Result<VolumeSummary, ControlError> made =
                bench.Do(node, () => node.Node.CloneSnapshot(volume, snapshot, name, default).AsTask());
            Assert.True(made.IsOk, made.ToString());
            _clones.Add(name, shown);
        }

        private SortedSet<string> List(BenchNode node, string volume, string path) => bench.Do(node, async () =>
        {
            IVolume drive = node.FindDrive(volume)!;
            InodeNumber folder = (await drive.Resolve(path)).Value.Inode;
            var entries = (await drive.ReadDirectory(folder, 0, 1000)).Value;
            return new SortedSet<string>(
                entries.Select(one => Encoding.UTF8.GetString(one.Name.Span)), StringComparer.Ordinal);
        });

        private void Do<T>(BenchNode node, Func<IVolume, Task<T>> work, string volume) =>
            bench.Do(node, () => work(node.FindDrive(volume)!));

        private static string[] Snapshots(BenchNode node, string volume) =>
            [.. node.FindDrive(volume)!.Snapshots!.List().Select(one => one.Name)];

        private byte[] Name(string kind) => Encoding.UTF8.GetBytes($"{kind}{++_number}");

        private string Any(IEnumerable<string> all) => all.ElementAt(bench.Random.Next(all.Count()));
    }
}
