using System.Buffers.Binary;
using System.Text;
using Cairn.Node.Ports;

namespace Cairn.Fuse.Tests;

/// <summary>The kernel's side without a kernel: requests as bytes in, replies and notifications as bytes out.</summary>
internal sealed class FakeChannel : IFuseChannel
{
    private ulong _unique = 2;

    public List<byte[]> Notifications { get; } = [];

    public void Notify(ReadOnlySpan<byte> message) => Notifications.Add(message.ToArray());

    public void NotifyNow(ReadOnlySpan<byte> message) => Notify(message);

    /// <summary>A request with its header.</summary>
    public FakeExchange Request(int opcode, ulong node, params byte[][] body)
    {
        byte[] bytes = [.. new byte[40], .. body.SelectMany(part => part)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, bytes.Length);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4), opcode);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), _unique += 2);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), node);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(24), 1000);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(28), 1000);
        return new FakeExchange(bytes);
    }

    public static byte[] Name(string text) => [.. Encoding.UTF8.GetBytes(text), 0];

    public static byte[] U32(params uint[] values) => [.. values.SelectMany(BitConverter.GetBytes)];

    public static byte[] U64(params ulong[] values) => [.. values.SelectMany(BitConverter.GetBytes)];
}

/// <summary>One request and what was answered to it.</summary>
internal sealed class FakeExchange(byte[] request) : IFuseExchange
{
    private readonly byte[] _reply = new byte[(1 << 20) + 16];
    private readonly TaskCompletionSource _ended = new();
    private int _endings;

    public ReadOnlyMemory<byte> Request => request;

    public Memory<byte> Reply => _reply;

    public int Count { get; private set; }

    /// <summary>Whether the kernel takes the reply.</summary>
    public bool IsWanted { get; set; } = true;

    public int Endings => _endings;

    public Task Ended => _ended.Task;

    public ulong Unique => BinaryPrimitives.ReadUInt64LittleEndian(request.AsSpan(8));

    /// <summary>0 or a positive errno.</summary>
    public int Error => -BinaryPrimitives.ReadInt32LittleEndian(_reply.AsSpan(4));

    public ReadOnlySpan<byte> Body => _reply.AsSpan(16, Count - 16);

    public bool Send(int count)
    {
        Count = count;
        bool isSound = BinaryPrimitives.ReadInt32LittleEndian(_reply) == count
            && BinaryPrimitives.ReadUInt64LittleEndian(_reply.AsSpan(8)) == Unique;
        if (!isSound)
        {
            Assert.Fail("a reply with a wrong length or unique");
        }

        Drop();
        return IsWanted;
    }

    public void Drop()
    {
        Interlocked.Increment(ref _endings);
        _ended.TrySetResult();
    }
}
