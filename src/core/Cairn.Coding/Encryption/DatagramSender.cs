using System.Security.Cryptography;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Encryption;

/// <summary>Seals datagrams from this node to one peer, without a handshake.</summary>
/// <remarks>Thread: one at a time. Allocates only when made. Source: docs/formats/datagram.md.</remarks>
public sealed class DatagramSender : IDisposable
{
    /// <summary>Bytes that sealing adds to a datagram.</summary>
    public const int Overhead = DatagramFormat.HeaderSize + SegmentCipher.TagSize;

    private readonly AesGcm _aes;
    private readonly NodeId _from;
    private readonly ulong _session;
    private ulong _counter;

    /// <summary>The sending side of a pair.</summary>
    /// <param name="sharedSecret">From <c>IIdentity.TryAgree</c> with the peer's public key.</param>
    /// <param name="from">This node.</param>
    /// <param name="to">The peer.</param>
    /// <param name="session">Random, new at every start: with it a counter that starts at 0 repeats no nonce.</param>
    public DatagramSender(ReadOnlySpan<byte> sharedSecret, NodeId from, NodeId to, ulong session)
    {
        _aes = DatagramFormat.Cipher(DatagramFormat.PairKey(sharedSecret), from, to, session);
        _from = from;
        _session = session;
    }

    /// <summary>Seals one datagram.</summary>
    /// <param name="plain">The message.</param>
    /// <param name="datagram">Exactly <see cref="Overhead"/> bytes longer.</param>
    public void Seal(ReadOnlySpan<byte> plain, Span<byte> datagram)
    {
        Invariant.That(datagram.Length == plain.Length + Overhead, $"{datagram.Length} bytes for {plain.Length}");
        ulong counter = _counter++;
        Span<byte> header = datagram[..DatagramFormat.HeaderSize];
        DatagramFormat.WriteHeader(header, _from, _session, counter);
        Span<byte> nonce = stackalloc byte[DatagramFormat.NonceSize];
        DatagramFormat.WriteNonce(nonce, counter);
        Span<byte> body = datagram[DatagramFormat.HeaderSize..];
        _aes.Encrypt(nonce, plain, body[..plain.Length], body[plain.Length..], header);
    }

    /// <inheritdoc/>
    public void Dispose() => _aes.Dispose();
}
