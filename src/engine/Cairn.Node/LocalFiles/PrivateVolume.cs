using System.Security.Cryptography;
using System.Text;
using Cairn.Coding.Encryption;
using Cairn.Core.Primitives;
using Cairn.Node.Engine;
using Cairn.Storage;

namespace Cairn.Node.LocalFiles;

/// <summary>The volume beside a shared one that holds what stays on this node; opened when something is in it, or has to be.</summary>
/// <remarks>
/// It is a volume like any other, with its own log, index and keys, that no peer is told of: its log is not shared and its
/// chunks are private records. Its keys come from the home's secret. Thread: any.
/// </remarks>
internal sealed class PrivateVolume(Func<Result<OpenedVolume, StoreError>> open) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private OpenedVolume? _opened;
    private bool _isStopped;

    /// <summary>Told once, when it is open.</summary>
    public Action<VolumeEngine>? Opened { get; set; }

    /// <summary>The volume, if it is open.</summary>
    public VolumeEngine? Current => Volatile.Read(ref _opened)?.Engine;

    /// <summary>What its index takes on the disk, in bytes.</summary>
    public long IndexBytes => Volatile.Read(ref _opened)?.Index.Bytes ?? 0;

    /// <summary>The keys of the private volume beside a shared one.</summary>
    public static VolumeKeyring Keyring(ReadOnlySpan<byte> homeSecret, VolumeId shared)
    {
        Span<byte> material = stackalloc byte[VolumeId.Size + EpochId.Size + 64];
        byte[] context = [.. Encoding.ASCII.GetBytes("cairn/local/1"), .. shared.Value.ToArray()];
        HKDF.Expand(HashAlgorithmName.SHA256, homeSecret, material, context);
        var ring = new VolumeKeyring(
            new VolumeId(material[..16]),
            new DedupSecret(material.Slice(32, 32)),
            new EpochKey(new EpochId(material.Slice(16, 16)), material.Slice(64, 32)));
        CryptographicOperations.ZeroMemory(material);
        return ring;
    }

    /// <summary>The volume, opened now if need be; null when it cannot be opened.</summary>
    public VolumeEngine? Open()
    {
        VolumeEngine engine;
        lock (_gate)
        {
            if (_opened is not null || _isStopped)
            {
                return _opened?.Engine;
            }

            if (!open().TryGet(out OpenedVolume? opened, out _))
            {
                return null;
            }

            Volatile.Write(ref _opened, opened);
            engine = opened.Engine;
        }

        Opened?.Invoke(engine);
        return engine;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        OpenedVolume? opened;
        lock (_gate)
        {
            _isStopped = true;
            opened = _opened;
        }

        if (opened is not null)
        {
            await opened.DisposeAsync();
        }
    }
}
