using System.Globalization;
using Cairn.Io.Host;

namespace Cairn.Io.Tests.Host;

public sealed class StopSignalsTests
{
    [Fact]
    public void The_first_signal_asks_for_an_orderly_stop()
    {
        using var signals = new StopSignals();
        Assert.False(signals.Token.IsCancellationRequested);
        string pid = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        using (var kill = System.Diagnostics.Process.Start("kill", ["-TERM", pid]))
        {
            kill.WaitForExit();
        }

        Assert.True(signals.Token.WaitHandle.WaitOne(TimeSpan.FromSeconds(30)));
    }
}
