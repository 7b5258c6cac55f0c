using Cairn.Core.Primitives;
using Cairn.Simulation.Disks;
using Cairn.Storage.Ports;

namespace Cairn.Simulation.Tests.Disks;

/// <summary>A simulated disk keeps less than it shows; what it shows is every byte that was written.</summary>
public sealed class SimulatedDiskTests
{
    private const int BytesMax = 40_000;

    [Fact]
    public void Whatever_is_written_cut_and_turned_over_reads_as_plain_bytes_would()
    {
        for (ulong seed = 1; seed <= 60; seed++)
        {
            Prng random = new(seed);
            EqualPages equal = new();
            SimulatedDisk disk = new(equal: equal);
            SimulatedDisk twin = new(equal: equal);
            using IDiskFile file = Opened(disk);
            using IDiskFile same = Opened(twin);
            byte[] expected = new byte[BytesMax];
            byte[] twins = new byte[BytesMax];
            int length = 0;
            int twinsLength = 0;
            for (int step = 0; step < 80; step++)
            {
                int offset = random.Next(BytesMax - 9000);
                int count = random.Chance(2) ? random.Next(200) : random.Next(9000);
                switch (random.Next(7))
                {
                    case 0 or 1 or 2:
                        byte[] data = Data(random, count);
                        Assert.True(file.Write(offset, data).IsOk);
                        Assert.True(same.Write(offset, data).IsOk);
                        data.CopyTo(expected, offset);
                        data.CopyTo(twins, offset);
                        twinsLength = Math.Max(twinsLength, offset + count);
                        length = Math.Max(length, offset + count);
                        break;
                    case 3:
                        Assert.True(file.PunchHole(offset, count).IsOk);
                        expected.AsSpan(offset, count).Clear();
                        break;
                    case 4:
                        length = random.Next(BytesMax);
                        Assert.True(file.SetLength(length).IsOk);
                        expected.AsSpan(length).Clear();
                        break;
                    case 5 when length > 0:
                        int at = random.Next(length);
                        int bit = random.Next(8);
                        disk.FlipBit("f", at, bit);
                        expected[at] ^= (byte)(1 << bit);
                        break;
                    case 6:
                        Assert.True(file.Sync().IsOk);
                        Assert.True(same.Sync().IsOk);
                        break;
                }

                Assert.Equal(expected[..length], Read(file, length));
                Assert.Equal(expected[..length], Read(Opened(disk.Clone()), length));
                Assert.Equal(twins[..twinsLength], Read(same, twinsLength));
            }

            Assert.True(file.Sync().IsOk);
            Assert.True(disk.SyncDirectory(string.Empty).IsOk);
            disk.Crash(CrashKind.PowerLost, seed);
            Assert.Equal(expected[..length], Read(Opened(disk), length));
        }
    }

    [Fact]
    public void What_was_not_synced_is_lost_kept_or_torn_by_whole_sectors()
    {
        for (ulong seed = 1; seed <= 200; seed++)
        {
            Prng random = new(seed);
            SimulatedDisk disk = new();
            byte[] before = Data(random, 12_288);
            byte[] after = [.. before];
            using (IDiskFile file = Opened(disk))
            {
                Assert.True(file.Write(0, before).IsOk);
                Assert.True(file.Sync().IsOk);
                for (int writes = 0; writes < 3; writes++)
                {
                    byte[] data = Data(random, random.Next(3000));
                    int offset = random.Next(9000);
                    Assert.True(file.Write(offset, data).IsOk);
                    data.CopyTo(after, offset);
                }
            }

            Assert.True(disk.SyncDirectory(string.Empty).IsOk);
            disk.Crash(CrashKind.PowerLost, seed);
            byte[] left = Read(Opened(disk), before.Length);
            for (int sector = 0; sector < left.Length; sector += 512)
            {
                ReadOnlySpan<byte> found = left.AsSpan(sector, 512);
                Assert.True(
                    found.SequenceEqual(before.AsSpan(sector, 512)) || found.SequenceEqual(after.AsSpan(sector, 512)),
                    $"seed {seed}, sector at {sector}");
            }
        }
    }

    private static IDiskFile Opened(SimulatedDisk disk) =>
        disk.Open("f", DiskOpenMode.OpenOrCreate).TryGet(out IDiskFile? file, out DiskError error)
            ? file
            : throw new InvalidOperationException(error.ToString());

    private static byte[] Read(IDiskFile file, int length)
    {
        byte[] read = new byte[length];
        read.AsSpan().Fill(0xEE);
        Assert.True(file.Read(0, read).IsOk);
        return read;
    }

    /// <summary>Zeros at the end, in the middle, or none.</summary>
    private static byte[] Data(Prng random, int count)
    {
        byte[] data = new byte[count];
        int filled = random.Chance(3) ? random.Next(count + 1) : count;
        for (int i = 0; i < filled; i++)
        {
            data[i] = (byte)random.Next(random.Chance(4) ? 2 : 256);
        }

        return data;
    }
}
