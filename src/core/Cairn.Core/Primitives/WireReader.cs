using System.Buffers.Binary;

namespace Cairn.Core.Primitives;

/// <summary>Reads the primitive encodings of <c>docs/formats/wire.md</c> from bytes that nobody has checked.</summary>
/// <remarks>
/// It never throws: the first impossible read sets <see cref="Failed"/>, after which every read returns a default.
/// A decoder reads straight through and asks once, at the end, for <see cref="Complete"/>.
/// </remarks>
public ref struct WireReader
{
    private ReadOnlySpan<byte> _rest;

    /// <summary>Starts at the first byte.</summary>
    public WireReader(ReadOnlySpan<byte> bytes)
    {
        _rest = bytes;
        Failed = false;
    }

    /// <summary>Whether any read so far was impossible.</summary>
    public bool Failed { get; private set; }

    /// <summary>Bytes not read yet.</summary>
    public readonly int Remaining => _rest.Length;

    /// <summary>Whether everything was read, and nothing failed.</summary>
    public readonly bool Complete => !Failed && _rest.IsEmpty;

    /// <summary>Marks the input as bad: a value was read that the format does not allow.</summary>
    public void Fail()
    {
        Failed = true;
        _rest = default;
    }

    /// <summary>Marks the input as bad unless <paramref name="condition"/> holds.</summary>
    public void Require(bool condition)
    {
        if (!condition)
        {
            Fail();
        }
    }

    /// <summary>One byte.</summary>
    public byte Byte() => Take(1) is { IsEmpty: false } bytes ? bytes[0] : (byte)0;

    /// <summary>One byte that must be 0 or 1.</summary>
    public bool Boolean()
    {
        byte value = Byte();
        Require(value <= 1);
        return value == 1;
    }

    /// <summary>Two bytes, little-endian.</summary>
    public ushort UInt16() =>
        Take(2) is { IsEmpty: false } bytes ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : (ushort)0;

    /// <summary>Four bytes, little-endian.</summary>
    public uint UInt32() => Take(4) is { IsEmpty: false } bytes ? BinaryPrimitives.ReadUInt32LittleEndian(bytes) : 0;

    /// <summary>Eight bytes, little-endian.</summary>
    public ulong UInt64() => Take(8) is { IsEmpty: false } bytes ? BinaryPrimitives.ReadUInt64LittleEndian(bytes) : 0;

    /// <summary>Eight bytes, little-endian, two's complement.</summary>
    public long Int64() => (long)UInt64();

    /// <summary>LEB128, at most ten bytes, shortest form only: one value has one encoding.</summary>
    public ulong VarUInt()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte next = Byte();
            if (Failed)
            {
                return 0;
            }

            value |= (ulong)(next & 0x7F) << shift;
            if (next < 0x80)
            {
                bool shortest = (next != 0 || shift == 0) && (shift < 63 || next <= 1);
                Require(shortest);
                return shortest ? value : 0;
            }
        }

        Fail();
        return 0;
    }

    /// <summary>LEB128 of at most <see cref="uint.MaxValue"/>.</summary>
    public uint VarUInt32()
    {
        ulong value = VarUInt();
        Require(value <= uint.MaxValue);
        return (uint)value;
    }

    /// <summary>A count of items that each take at least <paramref name="bytesPerItemMin"/> bytes of what is left.</summary>
    /// <remarks>So that a lying count can never make a decoder allocate more than the input is long.</remarks>
    public int Count(int bytesPerItemMin = 1)
    {
        ulong count = VarUInt();
        Require(count <= (ulong)(_rest.Length / Math.Max(1, bytesPerItemMin)));
        return Failed ? 0 : (int)count;
    }

    /// <summary>A length as VarUInt, then that many bytes, not copied.</summary>
    public ReadOnlySpan<byte> LengthPrefixed(int lengthMax = int.MaxValue)
    {
        ulong length = VarUInt();
        Require(length <= (ulong)_rest.Length && length <= (ulong)lengthMax);
        return Failed ? default : Take((int)length);
    }

    /// <summary>Exactly <paramref name="length"/> bytes, not copied.</summary>
    public ReadOnlySpan<byte> Raw(int length) => Take(length);

    /// <summary>Sixteen bytes.</summary>
    public Bytes16 Bytes16() => Take(Primitives.Bytes16.Size) is { IsEmpty: false } bytes ? new Bytes16(bytes) : default;

    /// <summary>Thirty-two bytes.</summary>
    public Bytes32 Bytes32() => Take(Primitives.Bytes32.Size) is { IsEmpty: false } bytes ? new Bytes32(bytes) : default;

    private ReadOnlySpan<byte> Take(int length)
    {
        if (Failed || length < 0 || length > _rest.Length)
        {
            Fail();
            return default;
        }

        ReadOnlySpan<byte> taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }
}
