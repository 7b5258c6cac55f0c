using System.Numerics;
using System.Security.Cryptography;

namespace Cairn.Simulation;

/// <summary>ECDSA P-256 whose secret number follows from key and message, as in RFC 6979.</summary>
/// <remarks>The platform's signatures are random. Not constant in time: never outside the simulator.</remarks>
internal sealed class RepeatableSignature(byte[] key)
{
    private static readonly BigInteger Order =
        Read(Convert.FromHexString("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551"));

    private readonly BigInteger _key = Read(key);

    /// <summary>Signs SHA-256 of the data; IEEE P1363, 64 bytes.</summary>
    public void Sign(ReadOnlySpan<byte> data, Span<byte> signature)
    {
        byte[] hash = SHA256.HashData(data);
        byte[] nonce = HMACSHA256.HashData(key, hash);
        nonce[0] &= 0x7F;
        ECParameters parameters = new() { Curve = ECCurve.NamedCurves.nistP256, D = nonce };
        using ECDsa point = ECDsa.Create(parameters);
        BigInteger r = Read(point.ExportParameters(includePrivateParameters: false).Q.X!) % Order;
        BigInteger inverse = BigInteger.ModPow(Read(nonce), Order - 2, Order);
        BigInteger s = inverse * (Read(hash) + (r * _key)) % Order;
        Write(r, signature[..32]);
        Write(s, signature[32..64]);
    }

    private static BigInteger Read(ReadOnlySpan<byte> bytes) => new(bytes, isUnsigned: true, isBigEndian: true);

    private static void Write(BigInteger number, Span<byte> destination)
    {
        destination.Clear();
        int length = number.GetByteCount(isUnsigned: true);
        number.TryWriteBytes(destination[(destination.Length - length)..], out _, isUnsigned: true, isBigEndian: true);
    }
}
