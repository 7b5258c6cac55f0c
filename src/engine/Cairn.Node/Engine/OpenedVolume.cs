using Cairn.Node.Logs;
using Cairn.Node.Ports;

namespace Cairn.Node.Engine;

/// <summary>An engine with what it stands on; disposed in this order.</summary>
/// <param name="Engine">The volume.</param>
/// <param name="Log">Its logs and their fold.</param>
/// <param name="Index">Its index.</param>
internal sealed record OpenedVolume(VolumeEngine Engine, ReplicatedLog Log, IIndexStore Index) : IAsyncDisposable
{
    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        await Log.DisposeAsync();
        Index.Dispose();
    }
}
