using System.Buffers;
using System.Buffers.Binary;

namespace Cairn.Core.Primitives;

/// <summary>Writes the primitive encodings of <c>docs/formats/wire.md</c>; the mirror of <see cref="WireReader"/>.</summary>
public readonly struct WireWriter(IBufferWriter<byte> output) : IEquatable<WireWriter>
{
    private readonly IBufferWriter<byte> _output = output;

    /// <summary>One byte.</summary>
    public void Byte(byte value)
    {
        _output.GetSpan(1)[0] = value;
        _output.Advance(1);
    }

    /// <summary>One byte, 0 or 1.</summary>
    public void Boolean(bool value) => Byte(value ? (byte)1 : (byte)0);

    /// <summary>Two bytes, little-endian.</summary>
    public void UInt16(ushort value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(_output.GetSpan(2), value);
        _output.Advance(2);
    }

    /// <summary>Four bytes, little-endian.</summary>
    public void UInt32(uint value)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(_output.GetSpan(4), value);
        _output.Advance(4);
    }

    /// <summary>Eight bytes, little-endian.</summary>
    public void UInt64(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_output.GetSpan(8), value);
        _output.Advance(8);
    }

    /// <summary>Eight bytes, little-endian, two's complement.</summary>
    public void Int64(long value) => UInt64((ulong)value);

    /// <summary>LEB128, shortest form.</summary>
    public void VarUInt(ulong value)
    {
        Span<byte> span = _output.GetSpan(10);
        int length = 0;
        for (; value >= 0x80; value >>= 7)
        {
            span[length++] = (byte)(value | 0x80);
        }

        span[length++] = (byte)value;
        _output.Advance(length);
    }

    /// <summary>A count of items.</summary>
    public void Count(int value) => VarUInt((ulong)value);

    /// <summary>A length as VarUInt, then the bytes.</summary>
    public void LengthPrefixed(ReadOnlySpan<byte> bytes)
    {
        VarUInt((ulong)bytes.Length);
        _output.Write(bytes);
    }

    /// <summary>The bytes alone.</summary>
    public void Raw(ReadOnlySpan<byte> bytes) => _output.Write(bytes);

    /// <summary>Sixteen bytes.</summary>
    public void Bytes16(Bytes16 value)
    {
        value.CopyTo(_output.GetSpan(Primitives.Bytes16.Size));
        _output.Advance(Primitives.Bytes16.Size);
    }

    /// <summary>Thirty-two bytes.</summary>
    public void Bytes32(Bytes32 value)
    {
        value.CopyTo(_output.GetSpan(Primitives.Bytes32.Size));
        _output.Advance(Primitives.Bytes32.Size);
    }

    /// <inheritdoc/>
    public bool Equals(WireWriter other) => ReferenceEquals(_output, other._output);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is WireWriter other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _output.GetHashCode();

    /// <summary>Same destination.</summary>
    public static bool operator ==(WireWriter left, WireWriter right) => left.Equals(right);

    /// <summary>Different destination.</summary>
    public static bool operator !=(WireWriter left, WireWriter right) => !left.Equals(right);
}
