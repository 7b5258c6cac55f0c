using Cairn.Coding.Encryption;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Tests;

/// <summary>Keys and bytes that are the same in every run.</summary>
internal static class TestKeys
{
    public static byte[] Bytes(ulong seed, int length)
    {
        byte[] bytes = new byte[length];
        new Prng(seed).Fill(bytes);
        return bytes;
    }

    public static EpochKey Epoch(ulong seed) => new(new EpochId(Bytes(seed, 16)), Bytes(seed + 1, 32));

    public static VolumeKeyring Keyring(ulong seed = 100) =>
        new(new VolumeId(Bytes(seed, 16)), new DedupSecret(Bytes(seed + 1, 32)), Epoch(seed + 2));
}
