using System.Collections.Immutable;
using Cairn.Core.Log;

namespace Cairn.Node.Engine;

/// <summary>Tells doors what transactions changed that no door asked for.</summary>
internal static class DoorNews
{
    /// <summary>Called under the volume's gate, after the transaction.</summary>
    public static void TellChanged(this VolumeState state, ImmutableArray<Primitive> primitives)
    {
        foreach (Primitive primitive in primitives)
        {
            switch (primitive)
            {
                case Place place:
                    state.TellEntry(state.Inodes.NumberOf(place.Parent), place.Name);
                    break;
                case Unplace unplace:
                    state.TellEntry(state.Inodes.NumberOf(unplace.Parent), unplace.Name);
                    break;
                case Move move:
                    state.TellEntry(state.Inodes.NumberOf(move.FromParent), move.FromName);
                    state.TellEntry(state.Inodes.NumberOf(move.ToParent), move.ToName);
                    break;
                case WriteVersion write:
                    state.TellVersion(write.Object);
                    break;
                case SetAttributes set:
                    state.TellVersion(set.Object);
                    break;
                default:
                    break;
            }
        }
    }
}
