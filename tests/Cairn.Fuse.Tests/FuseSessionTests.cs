using System.Buffers.Binary;
using Cairn.Core.Primitives;
using Cairn.Fuse.Session;
using Cairn.Node.Volumes;
using Cairn.Simulation.Time;
using Cairn.Simulation.Volumes;
using static Cairn.Fuse.Tests.FakeChannel;
using static Cairn.Fuse.Tests.Opcodes;

namespace Cairn.Fuse.Tests;

/// <summary>The session without a kernel: bytes in, bytes out.</summary>
public sealed class FuseSessionTests
{
    private const int InvalidArgument = 22;
    private const int NotImplemented = 38;

    private readonly MemoryVolume _volume = new("memory", seed: 3, TimeProvider.System);
    private readonly FakeChannel _kernel = new();
    private readonly List<Exception> _bugs = [];
    private readonly FuseSession _session;

    public FuseSessionTests()
    {
        _session = new FuseSession(_volume, new FuseOptions { VolumeLocks = true }, TimeProvider.System, _bugs.Add);
        _session.Attach(_kernel);
    }

    [Fact]
    public void Init_AnswersTheVersionAndTheAgreedFeatures()
    {
        FakeExchange reply = Ask(Init, 0, U32(7, 45, 0x20000, 0xFFFFFFFF, 0xFFFFFFFF), new byte[44]);
        Assert.Equal((0, 80), (reply.Error, reply.Count));
        uint[] words = [.. Enumerable.Range(0, 12).Select(Word)];
        Assert.Equal((7U, 45U, 1U << 20), (words[0], words[1], words[2]));
        uint flags = words[3];
        Assert.Equal(0U, flags & (1 << 16));
        Assert.NotEqual(0U, flags & (1 << 25));
        Assert.Equal(1U << 20, words[5]);
        Assert.Equal(256U, words[7] & 0xFFFF);
        uint Word(int index) => BinaryPrimitives.ReadUInt32LittleEndian(reply.Body[(4 * index)..]);
    }

    [Fact]
    public void Init_OfferingLess_IsAgreedToLess()
    {
        FakeExchange reply = Ask(Init, 0, U32(7, 31, 4096, 1 << 0));
        Assert.Equal((0, 1U), (reply.Error, BinaryPrimitives.ReadUInt32LittleEndian(reply.Body[12..])));
        Assert.Equal(31U, BinaryPrimitives.ReadUInt32LittleEndian(reply.Body[4..]));
    }

    [Fact]
    public void Init_OfANewerMajorVersion_IsToldOurs()
    {
        FakeExchange reply = Ask(Init, 0, U32(8, 1, 4096, 0));
        Assert.Equal((0, 7U), (reply.Error, BinaryPrimitives.ReadUInt32LittleEndian(reply.Body)));
    }

    [Theory]
    [InlineData(6U, 1U)]
    [InlineData(7U, 12U)]
    public void Init_OfAnAncientKernel_IsRefused(uint major, uint minor) =>
        Assert.Equal(71, Ask(Init, 0, U32(major, minor, 4096, 0)).Error);

    [Fact]
    public void Lookup_OfNothing_IsAnAnswerToRemember()
    {
        FakeExchange reply = Ask(Lookup, 1, Name("nothing"));
        Assert.Equal((0, 144), (reply.Error, reply.Count));
        Assert.Equal(0UL, BinaryPrimitives.ReadUInt64LittleEndian(reply.Body));
        Assert.Equal(3600UL, BinaryPrimitives.ReadUInt64LittleEndian(reply.Body[16..]));
    }

    [Fact]
    public void ShownOwner_OwnsEverything()
    {
        var session = new FuseSession(
            _volume, new FuseOptions { ShownOwner = new ShownOwner(5, 6) }, TimeProvider.System, _bugs.Add);
        FakeExchange exchange = _kernel.Request(GetAttr, 1, new byte[16]);
        session.Handle(exchange);
        Assert.Equal(5U, BinaryPrimitives.ReadUInt32LittleEndian(exchange.Body[(16 + 68)..]));
        Assert.Equal(6U, BinaryPrimitives.ReadUInt32LittleEndian(exchange.Body[(16 + 72)..]));
    }

    /// <summary>Every opcode with every short body: an answer, never an exception, exactly once.</summary>
    [Fact]
    public async Task Garbage_IsAnsweredOnce()
    {
        var random = new Prng(11);
        for (int opcode = 0; opcode < 70; opcode++)
        {
            for (int length = 0; length < 130; length += 3)
            {
                byte[] body = new byte[length];
                random.Fill(body);
                FakeExchange exchange = _kernel.Request(opcode, random.Chance(2) ? 1 : random.NextUInt64(), body);
                _session.Handle(exchange);
                if (opcode == SetLkW && exchange.Endings == 0)
                {
                    _session.Handle(_kernel.Request(Interrupt, 0, U64(exchange.Unique)));
                }

                await exchange.Ended;
                Assert.Equal(1, exchange.Endings);
            }
        }

        Assert.Empty(_bugs);
    }

    [Fact]
    public void Unknown_RequestsAreNotImplemented_AndForgetsHaveNoReply()
    {
        Assert.Equal(NotImplemented, Ask(60, 1).Error);
        Assert.Equal(NotImplemented, Ask(4096, 1).Error);
        FakeExchange forget = _kernel.Request(Forget, 1, U64(1));
        _session.Handle(forget);
        Assert.Equal((1, 0), (forget.Endings, forget.Count));
    }

    [Fact]
    public void Write_LongerThanItsRequest_IsRefused()
    {
        ulong handle = CreateFile("f", out ulong node);
        Assert.Equal(
            InvalidArgument, Ask(WriteOp, node, U64(handle, 0), U32(100, 0), new byte[16], new byte[99]).Error);
        Assert.Equal(InvalidArgument, Ask(ReadOp, node, U64(handle, 0), U32(2 << 20, 0), new byte[16]).Error);
    }

    [Fact]
    public async Task Handles_OfAMountThatIsGone_AreReleased()
    {
        CreateFile("a", out _);
        CreateFile("b", out _);
        Assert.Equal((2, 2), (_volume.OpenHandles, _session.OpenFileCount));
        await _session.Detach();
        Assert.Equal((0, 0), (_volume.OpenHandles, _session.OpenFileCount));
    }

    [Fact]
    public void Open_ThatTheKernelNoLongerWants_IsReleased()
    {
        ulong handle = CreateFile("a", out ulong node);
        Ask(Release, node, U64(handle), U32(0, 0), U64(0));
        FakeExchange open = _kernel.Request(Open, node, U32(0, 0));
        open.IsWanted = false;
        _session.Handle(open);
        Assert.Equal((0, 0), (_volume.OpenHandles, _session.OpenFileCount));
    }

    [Fact]
    public async Task LockWait_IsInterrupted_AlsoWhenTheInterruptComesFirst()
    {
        ulong handle = CreateFile("a", out ulong node);
        await _volume.SetLock(
            new OpenHandle(handle), new RangeLock(99, 1, 0, 10, LockKind.Exclusive), false, false, default);
        byte[] wanted = [.. U64(handle, 5, 0, 10), .. U32(1, 42, 0, 0)];
        FakeExchange waits = _kernel.Request(SetLkW, node, wanted);
        _session.Handle(waits);
        Assert.Equal(0, waits.Endings);
        _session.Handle(_kernel.Request(Interrupt, 0, U64(waits.Unique)));
        await waits.Ended;
        Assert.Equal(4, waits.Error);

        FakeExchange late = _kernel.Request(SetLkW, node, wanted);
        _session.Handle(_kernel.Request(Interrupt, 0, U64(late.Unique)));
        _session.Handle(late);
        await late.Ended;
        Assert.Equal(4, late.Error);
    }

    [Fact]
    public async Task ChangesByOthers_AreTold_OwnAreNot()
    {
        ulong handle = CreateFile("a", out ulong node);
        Ask(WriteOp, node, U64(handle, 0), U32(3, 0), new byte[16], [1, 2, 3]);
        Assert.Empty(_kernel.Notifications);
        await _volume.Write(new OpenHandle(handle), 0, new byte[] { 9 });
        await _volume.MakeDirectory(InodeNumber.Root, "d"u8.ToArray(), 0x1ED, Caller.Daemon);
        Assert.Equal(2, _kernel.Notifications.Count);
        byte[] content = _kernel.Notifications[0];
        Assert.Equal((40, 2), (content.Length, BinaryPrimitives.ReadInt32LittleEndian(content.AsSpan(4))));
        Assert.Equal(node, BinaryPrimitives.ReadUInt64LittleEndian(content.AsSpan(16)));
        byte[] entry = _kernel.Notifications[1];
        Assert.Equal((34, 3), (entry.Length, BinaryPrimitives.ReadInt32LittleEndian(entry.AsSpan(4))));
        Assert.Equal(1UL, BinaryPrimitives.ReadUInt64LittleEndian(entry.AsSpan(16)));
        Assert.Equal([(byte)'d', 0], entry[32..]);
    }

    [Fact]
    public async Task ChangesByOthers_AreToldOnceMore_WhenAnswersOnTheirWayHaveArrived()
    {
        SimulatedScheduler scheduler = new();
        FuseSession session = new(_volume, FuseOptions.Default, scheduler.CreateProcess("mount").Time, _bugs.Add);
        FakeChannel kernel = new();
        session.Attach(kernel);
        await _volume.MakeDirectory(InodeNumber.Root, "d"u8.ToArray(), 0x1ED, Caller.Daemon);
        byte[] told = Assert.Single(kernel.Notifications);
        scheduler.RunFor(TimeSpan.FromSeconds(0.9));
        Assert.Single(kernel.Notifications);
        scheduler.RunFor(TimeSpan.FromSeconds(2));
        Assert.Equal([told, told], kernel.Notifications);
        scheduler.RunFor(TimeSpan.FromSeconds(10));
        Assert.Equal(2, kernel.Notifications.Count);
        await session.Detach();
    }

    [Fact]
    public void PagesOfAMapping_AreWrittenWhole_OrRefusedAndDropped()
    {
        const uint fromCache = 1;
        ulong handle = CreateFile("a", out ulong node);
        _volume.CapacityBytes = 3 * 4096;
        FakeExchange whole = Ask(WriteOp, node, U64(handle, 0), U32(4096, fromCache), new byte[16], new byte[4096]);
        Assert.Equal((0, 4096u), (whole.Error, BinaryPrimitives.ReadUInt32LittleEndian(whole.Body)));
        Assert.Empty(_kernel.Notifications);

        FakeExchange refused = Ask(
            WriteOp, node, U64(handle, 8192), U32(8192, fromCache), new byte[16], new byte[8192]);
        Assert.Equal(28, refused.Error);
        byte[] dropped = Assert.Single(_kernel.Notifications);
        Assert.Equal(node, BinaryPrimitives.ReadUInt64LittleEndian(dropped.AsSpan(16)));
        Assert.Equal(8192L, BinaryPrimitives.ReadInt64LittleEndian(dropped.AsSpan(24)));
        Assert.Equal(8192L, BinaryPrimitives.ReadInt64LittleEndian(dropped.AsSpan(32)));
    }

    [Fact]
    public void SynchronousRequests_AllocateNothing()
    {
        ulong handle = CreateFile("f", out ulong node);
        byte[] data = new byte[8192];
        FakeExchange[] requests =
        [
            _kernel.Request(Lookup, 1, Name("f")),
            _kernel.Request(Lookup, 1, Name("none")),
            _kernel.Request(GetAttr, node, new byte[16]),
            _kernel.Request(WriteOp, node, U64(handle, 0), U32(8192, 0), new byte[16], data),
            _kernel.Request(ReadOp, node, U64(handle, 0), U32(8192, 0), new byte[16]),
        ];
        Run(2000);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Run(1000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Run(int rounds)
        {
            for (int i = 0; i < rounds; i++)
            {
                foreach (FakeExchange request in requests)
                {
                    _session.Handle(request);
                }
            }
        }
    }

    private ulong CreateFile(string name, out ulong node)
    {
        FakeExchange made = Ask(Create, 1, U32(0x42, 0x1A4, 0, 0), Name(name));
        Assert.Equal(0, made.Error);
        node = BinaryPrimitives.ReadUInt64LittleEndian(made.Body);
        return BinaryPrimitives.ReadUInt64LittleEndian(made.Body[128..]);
    }

    private FakeExchange Ask(int opcode, ulong node, params byte[][] body)
    {
        FakeExchange exchange = _kernel.Request(opcode, node, body);
        _session.Handle(exchange);
        Assert.Equal(1, exchange.Endings);
        return exchange;
    }
}
