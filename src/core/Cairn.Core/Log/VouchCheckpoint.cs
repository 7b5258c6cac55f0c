using Cairn.Core.Primitives;

namespace Cairn.Core.Log;

/// <summary>A checkpoint of a volume, as a member made it of its own fold: docs/formats/checkpoint.md.</summary>
/// <param name="Depth">The state after all transactions of less depth.</param>
/// <param name="Records">How many records it has.</param>
/// <param name="Hash">Names the records.</param>
/// <param name="Basis">
/// The hash of what it was made of: how far each log went, whose transactions count, and the rules. Of checkpoints made of
/// something else nobody can expect that they are equal: a member that was forgotten may bring what comes before a mark.
/// </param>
public readonly record struct MadeCheckpoint(ulong Depth, ulong Records, Bytes32 Hash, Bytes32 Basis)
{
    /// <summary>Writes it.</summary>
    public void Encode(WireWriter writer)
    {
        writer.VarUInt(Depth);
        writer.VarUInt(Records);
        writer.Bytes32(Hash);
        writer.Bytes32(Basis);
    }

    /// <summary>Reads it; a failed reader says whether it was one.</summary>
    public static MadeCheckpoint Decode(ref WireReader reader) =>
        new(reader.VarUInt(), reader.VarUInt(), reader.Bytes32(), reader.Bytes32());
}

/// <summary>The author has made a checkpoint of a volume itself, and keeps it for newcomers.</summary>
/// <param name="Volume">Of which volume.</param>
/// <param name="Checkpoint">What it made.</param>
public sealed record VouchCheckpoint(VolumeId Volume, MadeCheckpoint Checkpoint) : Primitive
{
    /// <inheritdoc/>
    public override PrimitiveKind Kind => PrimitiveKind.VouchCheckpoint;
}
