using System.Text;
using Cairn.Core.Primitives;
using Cairn.Node.Volumes;
using Cairn.Simulation.Disks;
using Cairn.Simulation.Time;

namespace Cairn.Node.Tests.Engine;

/// <summary>Files of nearly nothing but holes: their length costs neither memory nor time, before and after a crash.</summary>
public sealed class HugeFileTests
{
    private const long Far = 1L << 60;

    private static readonly Caller User = new(1, 2, 3);

    private readonly SimulatedScheduler _scheduler = new();
    private readonly EngineNode _node = new(new SimulatedDisk()) { IsAlone = false };
    private SimulatedProcess _process = null!;

    public HugeFileTests() => Start();

    [Fact]
    public void Cut_and_extended_over_all_lengths_it_shows_what_was_written()
    {
        OpenHandle file = Create();
        Write(file, 0, "begin");
        Write(file, Far, "far");
        Resize(file, long.MaxValue);
        Resize(file, 3);
        Resize(file, long.MaxValue);
        Write(file, Far + (5L << 24), "again");
        Assert.True(Wait(_node.Engine.Allocate(file, 1, Far, AllocateMode.PunchHole)).IsOk);
        Check();

        // Killed with the draft in the journal, then published, then read from the version.
        _process.Kill();
        Start();
        Check();
        _scheduler.RunFor(TimeSpan.FromSeconds(10));
        Assert.False(_node.Engine.HasUnpublishedWrites);
        Check();
        Assert.Empty(_scheduler.Failures);
    }

    [Fact]
    public void Bytes_in_the_middle_of_a_long_hole_are_found()
    {
        OpenHandle file = Create();
        Resize(file, 10L << 40);
        Resize(file, 5);
        Resize(file, 10L << 40);
        for (int i = 9; i > 0; i--)
        {
            Write(file, (long)i << 40, $"at {i}");
        }

        for (int i = 1; i < 10; i++)
        {
            Assert.Equal($"at {i}", Read(file, (long)i << 40, 4));
            Assert.Equal("\0\0at", Read(file, ((long)i << 40) - 2, 4));
            Assert.Equal((long)i << 40, Seek(file, ((long)(i - 1) << 40) + 4, SeekTarget.Data));
        }

        Resize(file, 4L << 40);
        Assert.Equal(36 - 24, (int)Lookup().DataBytes);
        Assert.Equal("at 3", Read(file, 3L << 40, 4));
    }

    [Fact]
    public void A_copy_of_holes_is_holes()
    {
        OpenHandle source = Create();
        Write(source, 1L << 40, "first");
        Write(source, 3L << 40, "second");
        Resize(source, 4L << 40);
        OpenHandle target = Create("copy");
        Write(target, 5, "under the hole");
        Assert.Equal(4L << 40, Wait(_node.Engine.CopyRange(source, 0, target, 0, 9L << 40)).Value);
        Assert.Equal((4L << 40, 11), (Lookup("copy").SizeBytes, (int)Lookup("copy").DataBytes));
        Assert.Equal("\0\0\0\0\0\0\0", Read(target, 0, 7));
        Assert.Equal("\0first\0", Read(target, (1L << 40) - 1, 7));
        Assert.Equal("second\0", Read(target, 3L << 40, 7));

        // A part, ended by the range and by the file.
        Assert.Equal(6, Wait(_node.Engine.CopyRange(source, (1L << 40) - 2, target, 0, 6)).Value);
        Assert.Equal("\0\0firs\0", Read(target, 0, 7));
        Assert.Equal(77, Wait(_node.Engine.CopyRange(source, (4L << 40) - 77, target, 0, 100)).Value);
        Assert.Equal(0, Wait(_node.Engine.CopyRange(source, 4L << 40, target, 0, 100)).Value);
    }

    private void Check()
    {
        OpenHandle file = Open();
        Assert.Equal(long.MaxValue, Lookup().SizeBytes);
        Assert.Equal("b\0\0", Read(file, 0, 3));
        Assert.Equal("\0\0\0", Read(file, Far, 3));
        Assert.Equal("\0again\0", Read(file, Far + (5L << 24) - 1, 7));
        Assert.Equal("\0\0", Read(file, long.MaxValue - 2, 5));
        Assert.Equal(1, Seek(file, 0, SeekTarget.Hole));
        Assert.Equal(Far + (5L << 24), Seek(file, 1, SeekTarget.Data));
        Wait(_node.Engine.Release(file));
    }

    private void Start()
    {
        _process = _scheduler.CreateProcess("node");
        Assert.True(_node.TryOpen(_process, _process.Time).IsOk);
    }

    private OpenHandle Create(string name = "f") => Wait(_node.Engine.Create(
        InodeNumber.Root, Encoding.UTF8.GetBytes(name), 0x1A4, OpenIntent.Read | OpenIntent.Write, User)).Value.Handle;

    private OpenHandle Open() => Wait(_node.Engine.Open(Lookup().Inode, OpenIntent.Read, User)).Value.Handle;

    private ObjectAttributes Lookup(string name = "f") =>
        Wait(_node.Engine.Lookup(InodeNumber.Root, Encoding.UTF8.GetBytes(name))).Value;

    private void Write(OpenHandle file, long offset, string text) =>
        Assert.True(Wait(_node.Engine.Write(file, offset, Encoding.UTF8.GetBytes(text))).IsOk);

    private void Resize(OpenHandle file, long sizeBytes) => Assert.True(Wait(_node.Engine.SetAttributes(
        Lookup().Inode, new AttributeChange { SizeBytes = sizeBytes }, file, User)).IsOk);

    private string Read(OpenHandle file, long offset, int length)
    {
        byte[] bytes = new byte[length];
        return Encoding.UTF8.GetString(bytes, 0, Wait(_node.Engine.Read(file, offset, bytes)).Value);
    }

    private long Seek(OpenHandle file, long offset, SeekTarget wanted) =>
        Wait(_node.Engine.Seek(file, offset, wanted)).Value;

    private Result<T, VolumeError> Wait<T>(ValueTask<Result<T, VolumeError>> call)
    {
        Task<Result<T, VolumeError>> task = call.AsTask();
        return task.IsCompleted ? task.Result : _scheduler.Complete(task, TimeSpan.FromMinutes(1));
    }
}
