using System.Buffers.Binary;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tree.Records;

/// <summary>Builds a record in a buffer that is used again; the encodings are those of docs/formats/wire.md.</summary>
internal sealed class ByteBuilder
{
    private byte[] _bytes = new byte[1024];
    private int _length;

    internal void Clear() => _length = 0;

    /// <summary>What was built, until the next call.</summary>
    internal ReadOnlySpan<byte> Written => _bytes.AsSpan(0, _length);

    internal void Byte(int value)
    {
        Reserve(1);
        _bytes[_length++] = (byte)value;
    }

    internal void VarUInt(ulong value)
    {
        Reserve(10);
        for (; value >= 0x80; value >>= 7)
        {
            _bytes[_length++] = (byte)(value | 0x80);
        }

        _bytes[_length++] = (byte)value;
    }

    internal void Time(WallTime value)
    {
        Reserve(8);
        BinaryPrimitives.WriteInt64LittleEndian(_bytes.AsSpan(_length), value.UnixNanoseconds);
        _length += 8;
    }

    internal void Id(Bytes16 value)
    {
        Reserve(Bytes16.Size);
        value.CopyTo(_bytes.AsSpan(_length));
        _length += Bytes16.Size;
    }

    internal void Node(NodeId value)
    {
        Reserve(NodeId.Size);
        value.Value.CopyTo(_bytes.AsSpan(_length));
        _length += NodeId.Size;
    }

    internal void Transaction(TransactionId value)
    {
        Reserve(TreeKeys.TransactionIdSize);
        TreeKeys.Transaction(_bytes.AsSpan(_length), value);
        _length += TreeKeys.TransactionIdSize;
    }

    internal void Prefixed(ReadOnlySpan<byte> bytes)
    {
        VarUInt((ulong)bytes.Length);
        Reserve(bytes.Length);
        bytes.CopyTo(_bytes.AsSpan(_length));
        _length += bytes.Length;
    }

    private void Reserve(int count)
    {
        if (_bytes.Length - _length < count)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, _length + count));
        }
    }
}
