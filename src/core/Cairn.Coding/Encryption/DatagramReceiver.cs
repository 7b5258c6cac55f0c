using System.Security.Cryptography;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Encryption;

/// <summary>Opens datagrams from one peer to this node, each at most once.</summary>
/// <remarks>
/// Within the peer's session, one seen before or older than the last 64 is refused; a datagram of another session takes
/// over when it is authentic. An old session could be replayed after a restart: what is gossiped carries its own
/// incarnation for that. Thread: one at a time. Allocates only at a new session. Source: docs/formats/datagram.md.
/// </remarks>
public sealed class DatagramReceiver : IDisposable
{
    private const int WindowBits = 64;

    private readonly byte[] _pairKey;
    private readonly NodeId _from;
    private readonly NodeId _to;
    private AesGcm? _aes;
    private ulong _session;
    private ulong _newest;
    private ulong _seen;

    /// <summary>The receiving side of a pair.</summary>
    /// <param name="sharedSecret">From <c>IIdentity.TryAgree</c> with the peer's public key.</param>
    /// <param name="from">The peer.</param>
    /// <param name="to">This node.</param>
    public DatagramReceiver(ReadOnlySpan<byte> sharedSecret, NodeId from, NodeId to)
    {
        _pairKey = DatagramFormat.PairKey(sharedSecret);
        _from = from;
        _to = to;
    }

    /// <summary>
    /// The first eight bytes, big-endian, of the sender's id, as the datagram claims: picks the receiver.
    /// </summary>
    /// <returns>False when it is too short or of another version to be one of ours.</returns>
    public static bool TryReadSender(ReadOnlySpan<byte> datagram, out ulong nodePrefix)
    {
        bool ours = datagram.Length >= DatagramSender.Overhead && datagram[0] == DatagramFormat.Version;
        nodePrefix = ours ? DatagramFormat.Hint(datagram) : 0;
        return ours;
    }

    /// <summary>Opens one datagram; never throws on bad input.</summary>
    /// <param name="datagram">As it came.</param>
    /// <param name="plain">At least as long as the message: <see cref="DatagramSender.Overhead"/> bytes
    /// shorter.</param>
    /// <returns>The length of the message.</returns>
    public Result<int, SealError> Open(ReadOnlySpan<byte> datagram, Span<byte> plain)
    {
        int length = datagram.Length - DatagramSender.Overhead;
        if (length < 0 || length > plain.Length)
        {
            return SealError.WrongLength;
        }

        if (datagram[0] != DatagramFormat.Version)
        {
            return datagram[0] > DatagramFormat.Version ? SealError.NewerFormat : SealError.Malformed;
        }

        ulong session = DatagramFormat.Session(datagram);
        ulong counter = DatagramFormat.Counter(datagram);
        bool isNewSession = _aes is null || session != _session;
        if (!isNewSession && IsOld(counter))
        {
            return SealError.Replayed;
        }

        AesGcm aes = isNewSession ? DatagramFormat.Cipher(_pairKey, _from, _to, session) : _aes!;
        if (!TryOpen(aes, datagram, counter, plain[..length]))
        {
            if (isNewSession)
            {
                aes.Dispose();
            }

            return SealError.NotAuthentic;
        }

        if (isNewSession)
        {
            _aes?.Dispose();
            (_aes, _session, _newest, _seen) = (aes, session, counter, 0);
        }

        Remember(counter);
        return length;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _aes?.Dispose();
        _pairKey.AsSpan().Clear();
    }

    private static bool TryOpen(AesGcm aes, ReadOnlySpan<byte> datagram, ulong counter, Span<byte> plain)
    {
        Span<byte> nonce = stackalloc byte[DatagramFormat.NonceSize];
        DatagramFormat.WriteNonce(nonce, counter);
        ReadOnlySpan<byte> body = datagram[DatagramFormat.HeaderSize..];
        ReadOnlySpan<byte> header = datagram[..DatagramFormat.HeaderSize];
        return AesGcmOpening.TryDecrypt(aes, nonce, body[..plain.Length], body[plain.Length..], plain, header);
    }

    private bool IsOld(ulong counter) =>
        counter <= _newest && (_newest - counter >= WindowBits || (_seen >> (int)(_newest - counter) & 1) != 0);

    private void Remember(ulong counter)
    {
        if (counter > _newest)
        {
            ulong ahead = counter - _newest;
            _seen = ahead >= WindowBits ? 0 : _seen << (int)ahead;
            _newest = counter;
        }

        _seen |= 1UL << (int)(_newest - counter);
    }
}
