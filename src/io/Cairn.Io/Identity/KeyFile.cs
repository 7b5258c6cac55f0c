using System.Buffers.Binary;
using System.Security.Cryptography;
using Cairn.Core.Primitives;

namespace Cairn.Io.Identity;

/// <summary>The bytes of a key file (docs/formats/key-file.md).</summary>
internal static class KeyFile
{
    /// <summary>The version this code writes and the newest it reads.</summary>
    internal const byte FormatVersion = 1;

    /// <summary>No key file is longer, so that a damaged length cannot ask for gigabytes.</summary>
    internal const int BytesMax = 4096;

    private const int HeaderBytes = 10;
    private const int ChecksumBytes = 8;

    private static ReadOnlySpan<byte> Magic => "CRNK"u8;

    internal static byte[] Encode(KeyState state, ReadOnlySpan<byte> payload)
    {
        byte[] file = new byte[HeaderBytes + payload.Length + ChecksumBytes];
        Magic.CopyTo(file);
        file[4] = FormatVersion;
        file[5] = (byte)state;
        BinaryPrimitives.WriteInt32LittleEndian(file.AsSpan(6), payload.Length);
        payload.CopyTo(file.AsSpan(HeaderBytes));
        Checksum(file.AsSpan(..^ChecksumBytes), file.AsSpan(^ChecksumBytes..));
        return file;
    }

    internal static Result<(KeyState State, byte[] Payload), KeyError> Decode(ReadOnlySpan<byte> file)
    {
        if (file.Length > 5 && file.StartsWith(Magic) && file[4] > FormatVersion)
        {
            string newer = $"the key file has format {file[4]}; this program knows {FormatVersion} and older";
            return new KeyError(KeyErrorKind.NewerFormat, newer);
        }

        Span<byte> checksum = stackalloc byte[ChecksumBytes];
        bool isWhole = file.Length >= HeaderBytes + ChecksumBytes && file.StartsWith(Magic);
        if (isWhole)
        {
            Checksum(file[..^ChecksumBytes], checksum);
            isWhole = file[^ChecksumBytes..].SequenceEqual(checksum) && file[4] == FormatVersion
                && file[5] is (byte)KeyState.Open or (byte)KeyState.Sealed
                && BinaryPrimitives.ReadInt32LittleEndian(file[6..]) == file.Length - HeaderBytes - ChecksumBytes;
        }

        return isWhole
            ? ((KeyState)file[5], file[HeaderBytes..^ChecksumBytes].ToArray())
            : new KeyError(KeyErrorKind.Damaged, "the key file is damaged");
    }

    private static void Checksum(ReadOnlySpan<byte> bytes, Span<byte> checksum)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(bytes, hash);
        hash[..ChecksumBytes].CopyTo(checksum);
    }
}
