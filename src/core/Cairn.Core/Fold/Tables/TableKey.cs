using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Cairn.Core.Fold.Tables;

/// <summary>Hashing for point lookups. The hash never orders anything.</summary>
internal static class TableKey
{
    internal static uint Hash(ReadOnlySpan<byte> key)
    {
        ulong hash = (uint)key.Length * 0x9E3779B97F4A7C15UL;
        while (key.Length >= sizeof(ulong))
        {
            hash = Mix(hash ^ MemoryMarshal.Read<ulong>(key));
            key = key[sizeof(ulong)..];
        }

        if (key.Length >= sizeof(uint))
        {
            hash = Mix(hash ^ BinaryPrimitives.ReadUInt32LittleEndian(key) ^ 0x100000000UL);
            key = key[sizeof(uint)..];
        }

        foreach (byte b in key)
        {
            hash = (hash ^ b) * 0x100000001B3UL;
        }

        hash = Mix(hash);
        return (uint)(hash ^ (hash >> 32));
    }

    private static ulong Mix(ulong value) => BitOperations.RotateLeft(value * 0xD6E8FEB86659FD93UL, 29) ^ (value >> 17);
}
