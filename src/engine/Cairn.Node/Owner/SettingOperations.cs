using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Pool;
using Cairn.Storage;
using Cairn.Storage.Home;
using Cairn.Storage.Packs;

namespace Cairn.Node.Owner;

/// <summary>What this node gives, and how much of the network it takes.</summary>
internal sealed class SettingOperations(NodeParts parts)
{
    /// <inheritdoc cref="INodeControl.SetSpace"/>
    public Result<SpaceStatus, ControlError> SetSpace(long allocatedBytes)
    {
        if (allocatedBytes < SpacePlan.SpaceBytesMin)
        {
            return new ControlError(ControlErrorKind.InvalidArgument, "Give at least 80 MiB.");
        }

        if (allocatedBytes < parts.Space.GivenBytesMin)
        {
            long megabytes = (parts.Space.GivenBytesMin >> 20) + 1;
            return new ControlError(
                ControlErrorKind.Unsuitable,
                $"The running journal leaves no room for chunks in that: set {megabytes} MiB, restart, then set less.");
        }

        if (SpaceKeeper.Refusal(parts.Ports.Disk, allocatedBytes) is { } refusal)
        {
            return refusal;
        }

        if (!parts.Ports.KeepSpace(allocatedBytes).TryGet(out _, out StoreError error))
        {
            return new ControlError(ControlErrorKind.Storage, error.ToString());
        }

        parts.Space.Give(allocatedBytes);
        parts.Publisher.PublishUse();
        return Space();
    }

    /// <inheritdoc cref="INodeControl.SetLimit"/>
    public Result<Unit, ControlError> SetLimit(BandwidthLimit limit)
    {
        if (!new NodeSettings(limit).Save(parts.Ports.Disk).TryGet(out _, out StoreError error))
        {
            return new ControlError(ControlErrorKind.Storage, error.ToString());
        }

        parts.Copies.SendLimiter.BytesPerSecond = limit.SendBytesPerSecond;
        parts.Copies.ReceiveLimiter.BytesPerSecond = limit.ReceiveBytesPerSecond;
        return Unit.Value;
    }

    /// <summary>How what this node gives is used.</summary>
    public SpaceStatus Space()
    {
        StoreSpace space = parts.Chunks.Space;
        return new SpaceStatus(
            parts.Space.GivenBytes, space.Replicated, space.Cached, space.Staged, space.Dead, space.Free);
    }
}
