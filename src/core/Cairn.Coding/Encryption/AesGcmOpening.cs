using System.Security.Cryptography;

namespace Cairn.Coding.Encryption;

/// <summary>The one place where a tag that does not fit turns from the library's exception into an answer.</summary>
internal static class AesGcmOpening
{
    public static bool TryDecrypt(
        AesGcm aes, ReadOnlySpan<byte> nonce, ReadOnlySpan<byte> sealedBytes, ReadOnlySpan<byte> tag,
        Span<byte> plain, ReadOnlySpan<byte> associated)
    {
        try
        {
            aes.Decrypt(nonce, sealedBytes, tag, plain, associated);
            return true;
        }
        catch (AuthenticationTagMismatchException)
        {
            return false;
        }
    }
}
