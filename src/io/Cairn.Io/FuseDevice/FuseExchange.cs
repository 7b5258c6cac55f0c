using System.Runtime.InteropServices;
using Cairn.Core.Primitives;
using Cairn.Node.Ports;
using Microsoft.Win32.SafeHandles;

namespace Cairn.Io.FuseDevice;

/// <summary>The buffers of one request, used again and again.</summary>
/// <remarks>
/// Invariant: between <see cref="TryRead"/> and its end it belongs to the handler; it goes back to its reader when it
/// was ended during the handling, else to the pool by whoever ends it. The data of a WRITE (after 80 bytes) and of
/// the reply to a READ (after 16) lie at the start of a page, so that the kernel copies whole pages.
/// </remarks>
internal sealed unsafe class FuseExchange : IFuseExchange, IDisposable
{
    private const int PageBytes = 4096;
    private const int WriteHeadBytes = 80;
    private const int ReplyHeadBytes = 16;

    private const int Handling = 0;
    private const int Ended = 1;
    private const int LeftToOthers = 2;

    private readonly FuseMount _mount;
    private readonly byte* _memory;
    private readonly NativeBuffer _request;
    private readonly NativeBuffer _reply;
    private SafeFileHandle? _device;
    private int _requestLength;
    private int _state = Ended;

    internal FuseExchange(FuseMount mount, int dataBytesMax)
    {
        _mount = mount;
        int dataBytes = (dataBytesMax + PageBytes - 1) / PageBytes * PageBytes;
        int half = PageBytes + dataBytes;
        _memory = (byte*)NativeMemory.AlignedAlloc((nuint)(2 * half), PageBytes);
        _request = new NativeBuffer(_memory + PageBytes - WriteHeadBytes, dataBytes + WriteHeadBytes);
        _reply = new NativeBuffer(_memory + half + PageBytes - ReplyHeadBytes, dataBytes + ReplyHeadBytes);
    }

    public ReadOnlyMemory<byte> Request => _request.Memory[.._requestLength];

    public Memory<byte> Reply => _reply.Memory;

    public bool Send(int count)
    {
        Invariant.That(count is >= ReplyHeadBytes && count <= _reply.Length, $"a reply of {count} bytes");
        Invariant.That(_state != Ended, "an exchange was ended twice");
        bool isTaken = Write(count);
        End();
        return isTaken;
    }

    public void Drop()
    {
        Invariant.That(_state != Ended, "an exchange was ended twice");
        End();
    }

    /// <summary>Waits for a request and reads it.</summary>
    /// <returns>0, or the error number.</returns>
    internal int TryRead(SafeFileHandle device)
    {
        nint count = FuseSystem.Read(device, _request.Start, _request.Length);
        if (count < 0)
        {
            return Marshal.GetLastPInvokeError();
        }

        _device = device;
        _requestLength = (int)count;
        Volatile.Write(ref _state, Handling);
        return 0;
    }

    /// <summary>After the handling: whether it has been ended, so that the reader can use it again.</summary>
    internal bool IsBack() => Interlocked.CompareExchange(ref _state, LeftToOthers, Handling) == Ended;

    /// <summary>Gives the memory back. Only its owner of the moment may, and nobody uses it afterwards.</summary>
    public void Dispose()
    {
        ((IDisposable)_request).Dispose();
        ((IDisposable)_reply).Dispose();
        NativeMemory.AlignedFree(_memory);
    }

    private bool Write(int count)
    {
        try
        {
            if (FuseSystem.Write(_device!, _reply.Start, count) == count)
            {
                return true;
            }

            _mount.ReplyRefused(Marshal.GetLastPInvokeError());
            return false;
        }
        catch (ObjectDisposedException)
        {
            // The mount went away before a slow answer came.
            return false;
        }
    }

    private void End()
    {
        if (Interlocked.Exchange(ref _state, Ended) == LeftToOthers)
        {
            _mount.Return(this);
        }
    }
}
