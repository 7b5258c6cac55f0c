using System.Text;
using Cairn.Core.Primitives;
using Cairn.Fuse.Session;
using Microsoft.Win32.SafeHandles;

namespace Cairn.Fuse.Tests;

/// <summary>Content through the kernel against a model in memory, in the manner of fsx.</summary>
public sealed class ContentTests
{
    private const int FileBytesMax = 700_000;

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, true)]
    [InlineData(4, true)]
    public async Task RandomOperations_MatchTheModel(int seed, bool isLate)
    {
        await using MountedVolume drive = MountedVolume.Create(isLate: isLate);
        var random = new Prng((ulong)seed);
        string path = drive.PathOf("fsx");
        byte[] model = [];
        SafeFileHandle file = Open(path);
        for (int step = 0; step < 1500; step++)
        {
            int offset = random.Next(FileBytesMax);
            int length = 1 + random.Next(random.Chance(4) ? 200_000 : 9_000);
            switch (random.Next(12))
            {
                case < 4:
                    model = Write(file, random, model, offset, length);
                    break;
                case 4:
                    RandomAccess.SetLength(file, offset);
                    Array.Resize(ref model, offset);
                    break;
                case 5:
                    Native.Punch(file, offset, length);
                    model.AsSpan(Clamp(offset, length, model)).Clear();
                    break;
                case 6:
                    Native.Zero(file, offset, length);
                    Array.Resize(ref model, Math.Max(model.Length, offset + length));
                    model.AsSpan(offset, length).Clear();
                    break;
                case 7:
                    model = CopyWithin(file, random, model, offset, length);
                    break;
                case 8 when random.Chance(4):
                    file.Dispose();
                    file = Open(path);
                    break;
                case 9 when random.Chance(8):
                    Native.Sync(file);
                    break;
                default:
                    Check(file, model, offset, length);
                    break;
            }

            Assert.Equal(model.Length, RandomAccess.GetLength(file));
        }

        Check(file, model, 0, FileBytesMax * 2);
        file.Dispose();
        Assert.Equal(model, File.ReadAllBytes(path));
        drive.Run("echo 1 > /proc/sys/vm/drop_caches 2> /dev/null || true");
        Assert.Equal(model, File.ReadAllBytes(path));
    }

    [Fact]
    public async Task MappedFiles_ReadAndWrite()
    {
        await using MountedVolume drive = MountedVolume.Create();
        string path = drive.PathOf("mapped");
        byte[] model = new byte[300_000];
        new Prng(5).Fill(model);
        File.WriteAllBytes(path, model);
        using (var map = System.IO.MemoryMappedFiles.MemoryMappedFile.CreateFromFile(path))
        using (var view = map.CreateViewAccessor(0, model.Length))
        {
            Assert.Equal(model[123_456], Native.ReadMapped(view, 123_456));
            for (int i = 0; i < model.Length; i += 1000)
            {
                Native.WriteMapped(view, i, [model[i] = (byte)i]);
            }

            view.Flush();
        }

        Assert.Equal(model, File.ReadAllBytes(path));
        Assert.Equal(model[..10], (await Read(drive, "mapped"))[..10]);
    }

    [Fact]
    public async Task MappedFile_OfAFullVolume_SaysSoAtTheSync_AndShowsWhatIsKept()
    {
        const int Size = 1 << 20;
        await using MountedVolume drive = MountedVolume.Create();
        string path = drive.PathOf("mapped");
        using (SafeFileHandle hole = Open(path))
        {
            RandomAccess.SetLength(hole, Size);
        }

        // Room for a part of one request: a short write must not pass for a whole one.
        drive.Volume.CapacityBytes = 300_000;
        using (var map = System.IO.MemoryMappedFiles.MemoryMappedFile.CreateFromFile(path))
        using (var view = map.CreateViewAccessor(0, Size))
        {
            Native.WriteMapped(view, 0, Enumerable.Repeat((byte)7, Size).ToArray());
            Assert.ThrowsAny<IOException>(view.Flush);
        }

        drive.Volume.CapacityBytes = 1 << 30;
        byte[] kept = await Read(drive, "mapped");
        Assert.Contains((byte)0, kept);
        for (int patience = 600; patience > 0 && !kept.AsSpan().SequenceEqual(File.ReadAllBytes(path)); patience--)
        {
            await Task.Delay(100);
        }

        Assert.Equal(kept, File.ReadAllBytes(path));
    }

    [Fact]
    public async Task Holes_AreFoundBySeek()
    {
        await using MountedVolume drive = MountedVolume.Create();
        using SafeFileHandle file = Open(drive.PathOf("f"));
        RandomAccess.Write(file, new byte[1 << 20], 0);
        RandomAccess.Write(file, new byte[1 << 20], 8 << 20);
        Assert.Equal(1 << 20, Native.SeekHole(file, 0));
        Assert.Equal(8 << 20, Native.SeekData(file, 2 << 20));
        Assert.Equal(-1, Native.SeekData(file, 9 << 20));
    }

    [Fact]
    public async Task Appends_OfSeveralProcesses_LoseNothing()
    {
        await using MountedVolume drive = MountedVolume.Create();
        drive.Run("for p in 1 2 3 4; do (for i in $(seq 200); do echo $p-$i >> log; done) & done; wait");
        string[] lines = File.ReadAllLines(drive.PathOf("log"));
        Assert.Equal(800, lines.Distinct().Count());
        Assert.Equal(800, lines.Length);
    }

    [Fact]
    public async Task FullVolume_SaysSoAtTheWrite()
    {
        await using MountedVolume drive = MountedVolume.Create();
        drive.Volume.CapacityBytes = 4 << 20;
        using SafeFileHandle file = Open(drive.PathOf("f"));
        byte[] block = new byte[1 << 20];
        IOException full = Assert.Throws<IOException>(() =>
        {
            for (int i = 0; i < 8; i++)
            {
                RandomAccess.Write(file, block, i << 20);
            }
        });
        Assert.Contains("space", full.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(4 << 20, RandomAccess.GetLength(file));
    }

    [Fact]
    public async Task UnlinkedFiles_GoOnWhileOpen()
    {
        await using MountedVolume drive = MountedVolume.Create();
        string printed = drive.Run("""
            exec 5<> f; echo hello >&5; rm f; stat -L -c '%h %s' /proc/self/fd/5; cat /proc/self/fd/5; echo more >&5
            stat -L -c %s /proc/self/fd/5; [ ! -e f ]; exec 5>&-; ls -A
            """);
        Assert.Equal("0 6\nhello\n11\n", printed);
    }

    [Fact]
    public async Task Names_AreBytesOfAnyKind()
    {
        await using MountedVolume drive = MountedVolume.Create();
        string longest = new('x', 255);
        drive.Run("""
            a=$'line\nbreak'; b=$'\xf0\x9f\xaa\xa8 cairn'; c=$'\xff\xfe\x80'; d=$(printf 'x%.0s' $(seq 255))
            e='-rf * "$(x)'
            for n in "$a" "$b" "$c" "$d" "$e"; do
              echo "$n" > "./$n"; [ "$(cat "./$n")" = "$n" ]; mv -- "./$n" t; mv t "./$n"
              ln -s -- "./$n" l; cat l > /dev/null; rm l
            done
            [ "$(find . -type f -print0 | tr -dc '\0' | wc -c)" = 5 ]
            ! touch "${d}x" 2> /dev/null; mkdir sub; cp -- ./* sub/ 2> /dev/null || true
            diff -r --exclude=sub . sub; rm -rf -- ./*
            """);
        Assert.Empty(Directory.EnumerateFileSystemEntries(drive.Directory));
        Assert.Equal(255, Encoding.UTF8.GetByteCount(longest));
    }

    [Fact]
    public async Task LargeDirectories_AreListedWhole()
    {
        await using MountedVolume drive = MountedVolume.Create();
        string printed = drive.Run("""
            mkdir d; cd d; seq -f 'file-with-a-rather-long-name-%06g' 20000 | xargs touch; ls -f | wc -l; ls -l | wc -l
            find . -name '*7' -delete; ls | wc -l; rm -rf ../d; ls -A ..
            """);
        Assert.Equal("20002\n20001\n18000\n", printed);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Locks_ExcludeWaitAndAreInterrupted(bool volumeLocks)
    {
        await using MountedVolume drive = MountedVolume.Create(new FuseOptions { VolumeLocks = volumeLocks });
        string printed = drive.Run("""
            touch l; exec 9> l; flock 9
            flock -n l true && exit 1 || echo refused
            timeout -s INT 0.2 flock l true && exit 1 || echo interrupted
            (flock l echo granted) & flock -u 9; wait
            python3 - <<'PY'
            import fcntl, os, signal
            f = open("l", "r+b"); fcntl.lockf(f, fcntl.LOCK_EX, 10, 5)
            if os.fork() == 0:
                g = open("l", "r+b")
                try: fcntl.lockf(g, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 7); os._exit(1)
                except BlockingIOError: pass
                fcntl.lockf(g, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 20)
                class Alarm(Exception): pass
                def ring(*a): raise Alarm()
                signal.signal(signal.SIGALRM, ring); signal.setitimer(signal.ITIMER_REAL, 0.2)
                try: fcntl.lockf(g, fcntl.LOCK_EX, 1, 7); os._exit(2)
                except Alarm: pass
                os._exit(0)
            assert os.wait()[1] == 0
            PY
            """);
        Assert.Equal("refused\ninterrupted\ngranted\n", printed);
    }

    private static SafeFileHandle Open(string path) =>
        File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);

    private static Range Clamp(int offset, int length, byte[] model) =>
        Math.Min(offset, model.Length)..Math.Min(offset + length, model.Length);

    private static byte[] Write(SafeFileHandle file, Prng random, byte[] model, int offset, int length)
    {
        byte[] data = new byte[length];
        random.Fill(data);
        RandomAccess.Write(file, data, offset);
        Array.Resize(ref model, Math.Max(model.Length, offset + length));
        data.CopyTo(model, offset);
        return model;
    }

    private static byte[] CopyWithin(SafeFileHandle file, Prng random, byte[] model, int offset, int length)
    {
        int target = random.Next(FileBytesMax);
        byte[] source = model[Clamp(offset, length, model)];
        if (source.Length == 0 || Math.Abs(target - offset) < source.Length)
        {
            return model;
        }

        Assert.Equal(source.Length, Native.Copy(file, offset, target, source.Length));
        Array.Resize(ref model, Math.Max(model.Length, target + source.Length));
        source.CopyTo(model, target);
        return model;
    }

    private static void Check(SafeFileHandle file, byte[] model, int offset, int length)
    {
        byte[] buffer = new byte[length];
        int count = RandomAccess.Read(file, buffer, offset);
        Assert.True(model.AsSpan(Clamp(offset, length, model)).SequenceEqual(buffer.AsSpan(0, count)));
    }

    private static async Task<byte[]> Read(MountedVolume drive, string name)
    {
        var found = (await drive.Volume.Lookup(Node.Volumes.InodeNumber.Root, Encoding.UTF8.GetBytes(name))).Value;
        var opened = (await drive.Volume.Open(found.Inode, Node.Volumes.OpenIntent.Read, default)).Value;
        byte[] bytes = new byte[found.SizeBytes];
        await drive.Volume.Read(opened.Handle, 0, bytes);
        await drive.Volume.Release(opened.Handle);
        return bytes;
    }
}
