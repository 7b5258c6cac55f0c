using System.Runtime.InteropServices;

namespace Cairn.Io.Host;

/// <summary>Turns the signals that end a daemon (Ctrl-C, TERM, QUIT, a closed terminal) into a cancellation.</summary>
/// <remarks>The first signal asks for an orderly stop. A second one ends the process at once, as the system would.</remarks>
public sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<PosixSignalRegistration> _registrations = [];

    /// <summary>Starts to listen.</summary>
    public StopSignals()
    {
        foreach (PosixSignal signal in new[]
            { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGQUIT, PosixSignal.SIGHUP })
        {
            _registrations.Add(PosixSignalRegistration.Create(signal, OnSignal));
        }
    }

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _stop.Token;

    /// <inheritdoc/>
    public void Dispose()
    {
        _registrations.ForEach(static registration => registration.Dispose());
        _stop.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        if (!_stop.IsCancellationRequested)
        {
            context.Cancel = true;
            _ = _stop.CancelAsync();
        }
    }
}
