using System.Runtime.InteropServices;
using Cairn.Core.Primitives;
using Cairn.Node.Ports;
using Microsoft.Win32.SafeHandles;

namespace Cairn.Io.FuseDevice;

/// <summary>A mounted drive: the threads that read the kernel's requests, and the way to end it.</summary>
/// <remarks>
/// Invariant: <see cref="Completion"/> ends after the last reader has gone and the handler has let everything go,
/// whoever unmounted the drive.
/// </remarks>
public sealed class FuseMount : IFuseChannel, IAsyncDisposable
{
    private const string Device = "/dev/fuse";
    private const int IdleExchangesMax = 8;
    private static readonly TimeSpan DisposePatience = TimeSpan.FromSeconds(5);

    private readonly FuseMountOptions _options;
    private readonly IFuseHandler _handler;
    private readonly Action<Exception> _report;
    private readonly bool _useHelper;
    private readonly Stack<FuseExchange> _idle = [];
    private readonly Lock _gate = new();
    private readonly List<SafeFileHandle> _devices = [];
    private readonly FuseNotifier _notifier;
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private RequestPoll? _poll;
    private int _readersLeft;
    private bool _isOver;

    internal FuseMount(
        string directory, bool useHelper, FuseMountOptions options, IFuseHandler handler, Action<Exception> report)
    {
        Directory = directory;
        _useHelper = useHelper;
        _options = options;
        _handler = handler;
        _report = report;
        _notifier = new FuseNotifier(handler);
    }

    /// <summary>Where it is mounted.</summary>
    public string Directory { get; }

    /// <summary>Ends when the mount is gone and everything it held is released.</summary>
    public Task Completion => _completion.Task;

    /// <summary>Unmounts.</summary>
    /// <param name="force">Detach though files are open: they go on working until they are closed.</param>
    public Result<Unit, MountError> Unmount(bool force) =>
        FuseMounter.Unmount(Directory, _useHelper, force ? FuseSystem.UnmountDetach : 0);

    /// <inheritdoc/>
    public void Notify(ReadOnlySpan<byte> message) => _notifier.Add(message);

    /// <inheritdoc/>
    public void NotifyNow(ReadOnlySpan<byte> message) => FuseNotifier.Write(_devices[0], message);

    /// <summary>Unmounts, cutting off those who still have files open, and waits until all is released.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!Completion.IsCompleted && !Unmount(force: false).IsOk)
        {
            // FORCE makes the kernel fail what waits, DETACH takes the mount out of the tree.
            FuseMounter.Unmount(Directory, _useHelper, FuseSystem.UnmountForce);
            FuseMounter.Unmount(Directory, _useHelper, FuseSystem.UnmountDetach);
        }

        // Without the right to force it, the readers end with the process at the latest.
        await Task.WhenAny(Completion, Task.Delay(DisposePatience)).ConfigureAwait(false);
    }

    internal void Start(SafeFileHandle device)
    {
        _handler.Attach(this);
        _devices.Add(device);
        for (int i = 1; i < _options.ReaderThreads; i++)
        {
            _devices.Add(Clone(device) ?? device);
        }

        // Where there is one processor, whoever looks is in the way of whoever asks.
        _poll = Environment.ProcessorCount > 1 && Clone(device, FuseSystem.OpenNonBlocking) is { } queue
            ? new RequestPoll(queue)
            : null;

        _readersLeft = _devices.Count;
        _notifier.Start(device, "fuse-notify");
        for (int i = 0; i < _devices.Count; i++)
        {
            SafeFileHandle own = _devices[i];
            new Thread(() => Read(own)) { IsBackground = true, Name = $"fuse-{i}" }.Start();
        }
    }

    /// <summary>Takes back an exchange that was ended by another thread than its reader.</summary>
    internal void Return(FuseExchange exchange)
    {
        lock (_gate)
        {
            if (!_isOver && _idle.Count < IdleExchangesMax)
            {
                _idle.Push(exchange);
                return;
            }
        }

        exchange.Dispose();
    }

    /// <summary>The kernel gives requests up (ENOENT) and mounts go away; anything else is a bug in a reply.</summary>
    internal void ReplyRefused(int error)
    {
        if (error is not (FuseSystem.NoEntry or FuseSystem.NoDevice or FuseSystem.ConnectionAborted
            or FuseSystem.NotConnected or FuseSystem.NotPermitted))
        {
            _report(
                new IOException($"{Directory}: the kernel refused a reply: {Marshal.GetPInvokeErrorMessage(error)}"));
        }
    }

    /// <summary>
    /// A descriptor with a queue of its own, so that readers do not contend; null when the kernel has none.
    /// </summary>
    private static unsafe SafeFileHandle? Clone(SafeFileHandle device, int flags = 0)
    {
        int file = FuseSystem.Open(Device, FuseSystem.OpenReadWriteCloseOnExec | flags, 0);
        if (file < 0)
        {
            return null;
        }

        var clone = new SafeFileHandle(file, ownsHandle: true);
        uint original = (uint)device.DangerousGetHandle();
        if (FuseSystem.Control(clone, FuseSystem.CloneDevice, &original) == 0)
        {
            return clone;
        }

        clone.Dispose();
        return null;
    }

    private void Read(SafeFileHandle device)
    {
        FuseExchange exchange = Take();
        while (true)
        {
            int error = _poll?.Read(exchange, device) ?? exchange.TryRead(device);
            if (error == 0)
            {
                _handler.Handle(exchange);
                if (!exchange.IsBack())
                {
                    exchange = Take();
                }

                continue;
            }

            // A request that was given up while being read is ENOENT.
            if (error is FuseSystem.Interrupted or FuseSystem.Again or FuseSystem.NoEntry)
            {
                continue;
            }

            if (error is not (FuseSystem.NoDevice or FuseSystem.ConnectionAborted))
            {
                _report(new IOException($"{Directory}: /dev/fuse: {Marshal.GetPInvokeErrorMessage(error)}"));
            }

            break;
        }

        exchange.Dispose();
        if (Interlocked.Decrement(ref _readersLeft) == 0)
        {
            _ = End();
        }
    }

    private FuseExchange Take()
    {
        lock (_gate)
        {
            if (_idle.TryPop(out FuseExchange? idle))
            {
                return idle;
            }
        }

        return new FuseExchange(this, _options.RequestBytesMax);
    }

    private async Task End()
    {
        _notifier.Stop();
        lock (_gate)
        {
            _isOver = true;
            while (_idle.TryPop(out FuseExchange? idle))
            {
                idle.Dispose();
            }
        }

        try
        {
            await _handler.Detach().ConfigureAwait(false);
        }
#pragma warning disable CA1031 // The outermost frame of the mount: what goes wrong here is reported, not lost.
        catch (Exception bug)
#pragma warning restore CA1031
        {
            _report(bug);
        }

        foreach (SafeFileHandle device in _devices)
        {
            device.Dispose();
        }

        _poll?.Dispose();
        _completion.SetResult();
    }
}
