namespace Cairn.Node.Ports;

/// <summary>Unpredictable bytes for keys and ids; seeded in the simulator, the system's in the daemon.</summary>
public interface IEntropy
{
    /// <summary>Fills a span.</summary>
    void Fill(Span<byte> destination);
}
