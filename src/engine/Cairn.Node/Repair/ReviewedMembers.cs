using System.Buffers;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Storage.Home;
using Cairn.Storage.Ports;

namespace Cairn.Node.Repair;

/// <summary>Among which members this node last asked for all that it needs and does not hold: a file in the home.</summary>
/// <remarks>
/// Who was forgotten and is back is the same member as before, and yet may have written around what the others collected: so the words
/// that forgot somebody count, too. What is lost with the file, or could not be written, is asked for once more.
/// docs/formats/pool-home.md. Thread: the engine's loop.
/// </remarks>
internal sealed class ReviewedMembers
{
    private const string FileName = "reviewed";
    private const int BytesMax = 1 << 20;
    private const byte FormatVersion = 1;

    private readonly IDisk _disk;
    private byte[] _noted;

    /// <summary>Reads what was noted.</summary>
    public ReviewedMembers(IDisk disk)
    {
        _disk = disk;
        _noted = SmallFile.Read(disk, FileName, BytesMax).TryGet(out byte[]? kept, out _) ? kept ?? [] : [];
    }

    /// <summary>Whether nobody came, went or was forgotten since.</summary>
    public bool Knows(PoolState state) => Encode(state).AsSpan().SequenceEqual(_noted);

    /// <summary>All was asked for, of these members.</summary>
    public void Note(PoolState state)
    {
        _noted = Encode(state);

        // Where it cannot be kept the next start asks again.
        _ = SmallFile.Write(_disk, FileName, _noted);
    }

    private static byte[] Encode(PoolState state)
    {
        NodeId[] members = [.. state.ActiveNodes.Select(static member => member.Node)];
        ArrayBufferWriter<byte> output = new(256);
        WireWriter writer = new(output);
        writer.Byte(FormatVersion);
        writer.VarUInt((ulong)state.Members.Keys.Sum(member => (long)state.ForgottenBy(member).Length));
        writer.Count(members.Length);
        foreach (NodeId member in members)
        {
            writer.Bytes32(member.Value);
        }

        return output.WrittenSpan.ToArray();
    }
}
