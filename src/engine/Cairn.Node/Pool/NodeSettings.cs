using System.Buffers;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Storage;
using Cairn.Storage.Home;
using Cairn.Storage.Ports;

namespace Cairn.Node.Pool;

/// <summary>What the owner changed while the node ran, kept over restarts: docs/formats/pool-home.md.</summary>
/// <param name="Limit">Bandwidth limits.</param>
internal sealed record NodeSettings(BandwidthLimit Limit)
{
    private const byte Version = 1;
    private const string FileName = "settings";

    /// <summary>Reads the file; a damaged one counts as absent, for nothing depends on it.</summary>
    public static NodeSettings Load(IDisk disk)
    {
        NodeSettings none = new(default(BandwidthLimit));
        if (!SmallFile.Read(disk, FileName, 4096).TryGet(out byte[]? bytes, out _) || bytes is null)
        {
            return none;
        }

        WireReader reader = new(bytes);
        bool isKnown = reader.Byte() == Version;
        _ = reader.Int64();
        long send = reader.Int64();
        long receive = reader.Int64();
        return reader.Complete && isKnown
            ? new NodeSettings(new BandwidthLimit(Positive(send), Positive(receive)))
            : none;
    }

    /// <summary>Writes the file.</summary>
    public Result<Unit, StoreError> Save(IDisk disk)
    {
        ArrayBufferWriter<byte> output = new(32);
        WireWriter writer = new(output);
        writer.Byte(Version);
        writer.Int64(0);
        writer.Int64(Limit.SendBytesPerSecond ?? 0);
        writer.Int64(Limit.ReceiveBytesPerSecond ?? 0);
        return SmallFile.Write(disk, FileName, output.WrittenSpan);
    }

    private static long? Positive(long value) => value > 0 ? value : null;
}
