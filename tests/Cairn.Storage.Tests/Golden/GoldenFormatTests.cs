using System.Security.Cryptography;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Simulation.Disks;
using Cairn.Storage.Journaling;
using Cairn.Storage.Logs;
using Cairn.Storage.Packs;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Tests.Golden;

/// <summary>Files written by version 1 of every format: what is written today is the same, and they can be read for ever.</summary>
/// <remarks>To look at a difference, set CAIRN_WRITE_GOLDEN to a folder: the files of today are written there.</remarks>
public sealed class GoldenFormatTests
{
    private static readonly VolumeId Volume = new([.. Enumerable.Range(1, 16).Select(i => (byte)i)]);
    private static readonly LogId Log = new(new NodeId([.. Enumerable.Range(32, 32).Select(i => (byte)i)]), 7);
    private static readonly byte[] Chunk = "the stored bytes of a chunk"u8.ToArray();
    private static readonly RecordKey Key = RecordKey.Copy(new ChunkAddress(SHA256.HashData(Chunk)));
    private static readonly JournalOptions JournalOptions =
        new() { SegmentBytes = 4096, SegmentsMax = 4, SegmentsReady = 1 };
    private static readonly ChunkStoreOptions StoreOptions = new() { SpaceBytes = 64L << 20 };

    [Theory]
    [InlineData("journal/000000.seg", 512)]
    [InlineData("packs/000000.pack", 256)]
    [InlineData("packs/index.snapshot", 92)]
    [InlineData(
        "logs/0102030405060708090a0b0c0d0e0f10-"
        + "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f-7.log",
        192)]
    public void What_is_written_today_is_what_version_1_wrote(string path, int bytes)
    {
        SimulatedDisk disk = Written();
        using IDiskFile file = disk.Open(path, DiskOpenMode.Read).Value;
        byte[] today = new byte[Math.Min(bytes, file.Length().Value)];
        Assert.True(file.Read(0, today).IsOk);
        string name = System.IO.Path.GetExtension(path)[1..] + ".hex";
        if (Environment.GetEnvironmentVariable("CAIRN_WRITE_GOLDEN") is { Length: > 0 } folder)
        {
            File.WriteAllText(System.IO.Path.Combine(folder, name), Convert.ToHexStringLower(today) + "\n");
        }

        Assert.Equal(Golden(name), Convert.ToHexStringLower(today));
    }

    [Fact]
    public void Files_of_version_1_are_read()
    {
        SimulatedDisk disk = new();
        Restore(disk, "journal/000000.seg", "seg.hex", 4096);
        Restore(disk, "packs/000000.pack", "pack.hex", 8 << 20);
        Restore(disk, $"logs/{Volume}-{Log.Author}-7.log", "log.hex", 0);
        using Journal journal = Journal.Open(disk, JournalOptions).Value;
        List<string> records = [];
        JournalReplayReport report = journal.Replay((_, kind, head, payload) =>
        {
            records.Add($"{kind} {Convert.ToHexString(head)} {Convert.ToHexString(payload)}");
            return true;
        }).Value;
        Assert.Equal(["Extent 0102 0304050607", "Operation  FF"], records);
        Assert.Empty(report.Damage);
        using ChunkStore store = ChunkStore.Open(disk, StoreOptions).Value;
        Assert.Empty(store.Findings);
        Assert.True(store.TryGet(Key, out StoredRecord record));
        Assert.Equal(ChunkUse.Replicated, record.Use);
        Assert.True(store.Verify(Key).IsOk);
        using LogStore logs = LogStore.Open(disk).Value;
        Assert.Equal("a block"u8.ToArray(), logs.Read(Volume, Log, 1).Value);
    }

    /// <summary>The header, its copy, and a block: 128 bytes at 0 and at 4,096, 64 at 8,192.</summary>
    [Fact]
    public void A_log_that_begins_later_is_what_version_2_wrote_and_is_read()
    {
        LogBeginning beginning = new(41, new BlockHash(SHA256.HashData("the block before"u8)), 300, 50_000);
        SimulatedDisk disk = new();
        using (LogStore logs = LogStore.Open(disk).Value)
        {
            Assert.True(logs.BeginAt(Volume, Log, beginning).IsOk);
            Assert.True(logs.Append(Volume, Log, 42, "a block"u8).IsOk);
            Assert.True(logs.Commit().IsOk);
        }

        string path = $"logs/{Volume}-{Log.Author}-7.log";
        (int Offset, int Length)[] parts = [(0, 128), (4096, 128), (8192, 64)];
        byte[] today = new byte[320];
        int at = 0;
        using (IDiskFile file = disk.Open(path, DiskOpenMode.Read).Value)
        {
            foreach ((int offset, int length) in parts)
            {
                int there = Math.Min(length, (int)file.Length().Value - offset);
                Assert.True(file.Read(offset, today.AsSpan(at, there)).IsOk);
                at += length;
            }
        }

        const string name = "log-begins-later.hex";
        if (Environment.GetEnvironmentVariable("CAIRN_WRITE_GOLDEN") is { Length: > 0 } folder)
        {
            File.WriteAllText(System.IO.Path.Combine(folder, name), Convert.ToHexStringLower(today) + "\n");
        }

        Assert.Equal(Golden(name), Convert.ToHexStringLower(today));
        SimulatedDisk old = new();
        Assert.True(old.CreateDirectory("logs").IsOk);
        using (IDiskFile file = old.Open(path, DiskOpenMode.CreateNew).Value)
        {
            at = 0;
            foreach ((int offset, int length) in parts)
            {
                Assert.True(file.Write(offset, Convert.FromHexString(Golden(name)).AsSpan(at, length)).IsOk);
                at += length;
            }
        }

        using LogStore read = LogStore.Open(old).Value;
        Assert.Empty(read.Findings);
        Assert.Equal(beginning, read.Beginning(Volume, Log));
        Assert.Equal("a block"u8.ToArray(), read.Read(Volume, Log, 42).Value);
    }

    private static SimulatedDisk Written()
    {
        SimulatedDisk disk = new();
        using (Journal journal = Journal.Open(disk, JournalOptions).Value)
        {
            Assert.True(journal.Replay((_, _, _, _) => true).IsOk);
            Assert.True(journal.Append(JournalKind.Extent, [1, 2], [3, 4, 5, 6, 7]).IsOk);
            Assert.True(journal.Commit().IsOk);
            Assert.True(journal.Append(JournalKind.Operation, [], [255]).IsOk);
        }

        using (ChunkStore store = ChunkStore.Open(disk, StoreOptions).Value)
        {
            Assert.True(store.Put(Key, Chunk, ChunkUse.Staged).IsOk);
            Assert.True(store.SetUse(Key, ChunkUse.Replicated).IsOk);
            Assert.True(store.Commit().IsOk);
        }

        using (LogStore logs = LogStore.Open(disk).Value)
        {
            Assert.True(logs.Append(Volume, Log, 1, "a block"u8).IsOk);
            Assert.True(logs.Commit().IsOk);
        }

        return disk;
    }

    private static void Restore(SimulatedDisk disk, string path, string name, long length)
    {
        Assert.True(disk.CreateDirectory(path[..path.IndexOf('/', StringComparison.Ordinal)]).IsOk);
        using IDiskFile file = disk.Open(path, DiskOpenMode.CreateNew).Value;
        Assert.True(file.Write(0, Convert.FromHexString(Golden(name))).IsOk);
        Assert.True(file.Preallocate(length).IsOk);
    }

    private static string Golden(string name)
    {
        using StreamReader reader = new(typeof(GoldenFormatTests).Assembly.GetManifestResourceStream(name)!);
        return reader.ReadToEnd().Trim();
    }
}
