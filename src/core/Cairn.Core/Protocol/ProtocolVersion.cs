using Cairn.Core.Primitives;

namespace Cairn.Core.Protocol;

/// <summary>Which versions of the peer protocol this program speaks, and how two peers agree on one.</summary>
public static class ProtocolVersion
{
    /// <summary>The oldest that is understood.</summary>
    public const ushort Min = 1;

    /// <summary>The newest.</summary>
    public const ushort Max = 5;

    /// <summary>The first that has <see cref="MessageTag.OpenFiles"/>: it is sent to no peer that does not know it.</summary>
    public const ushort OpenFiles = 2;

    /// <summary>The first that has <see cref="MessageTag.TableAsk"/>.</summary>
    public const ushort Tables = 3;

    /// <summary>The first that has <see cref="MessageTag.CheckpointAsk"/>.</summary>
    public const ushort Checkpoints = 4;

    /// <summary>The first that has <see cref="MessageTag.LogBegins"/>.</summary>
    public const ushort Beginnings = 5;

    /// <summary>The newest version both understand.</summary>
    public static Result<ushort, ProtocolError> Negotiate(ushort peerMin, ushort peerMax)
    {
        ushort common = Math.Min(Max, peerMax);
        return common >= Math.Max(Min, peerMin)
            ? common
            : new ProtocolError(ProtocolErrorKind.NoCommonVersion, (byte)MessageTag.Hello);
    }
}
