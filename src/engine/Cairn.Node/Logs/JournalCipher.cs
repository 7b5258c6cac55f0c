using Cairn.Coding.Encryption;
using Cairn.Core.Primitives;
using Cairn.Node.Ports;

namespace Cairn.Node.Logs;

/// <summary>The ciphers of this node's journal: one for this run of the daemon, and those of the runs before.</summary>
/// <remarks>Thread: any. The home's secret is kept with the node's keys; see docs/formats/extent.md.</remarks>
public sealed class JournalCipher : IDisposable
{
    private readonly Lock _gate = new();
    private readonly byte[] _homeSecret;
    private readonly Dictionary<Bytes16, ExtentCipher> _runs = [];

    /// <summary>Starts a new run.</summary>
    /// <param name="homeSecret">32 bytes, the same for the life of the home.</param>
    /// <param name="entropy">For the run's id.</param>
    public JournalCipher(ReadOnlySpan<byte> homeSecret, IEntropy entropy)
    {
        _homeSecret = homeSecret.ToArray();
        Span<byte> run = stackalloc byte[Bytes16.Size];
        entropy.Fill(run);
        Current = new ExtentCipher(homeSecret, new Bytes16(run));
        _runs.Add(Current.Run, Current);
    }

    /// <summary>The cipher of this run.</summary>
    public ExtentCipher Current { get; }

    /// <summary>The cipher of a run.</summary>
    public ExtentCipher Of(Bytes16 run)
    {
        if (run == Current.Run)
        {
            return Current;
        }

        lock (_gate)
        {
            if (!_runs.TryGetValue(run, out ExtentCipher? cipher))
            {
                _runs.Add(run, cipher = new ExtentCipher(_homeSecret, run));
            }

            return cipher;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_gate)
        {
            foreach (ExtentCipher cipher in _runs.Values)
            {
                cipher.Dispose();
            }
        }
    }
}
