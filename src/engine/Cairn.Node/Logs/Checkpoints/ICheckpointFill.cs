using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Ports;

namespace Cairn.Node.Logs.Checkpoints;

/// <summary>Where the records of a checkpoint go that come from other members, in the order of their keys.</summary>
public interface ICheckpointFill
{
    /// <summary>The key of the last record that is here; empty for none.</summary>
    ReadOnlyMemory<byte> Last { get; }

    /// <summary>Begins a checkpoint, or goes on with it.</summary>
    Result<Unit, IndexError> Begin(Bytes32 checkpoint);

    /// <summary>Adds records that follow those before.</summary>
    Result<Unit, IndexError> Add(IReadOnlyList<TableRecordBytes> records);

    /// <summary>All records are there: looks whether they are the ones that were vouched for.</summary>
    /// <param name="witnesses">Who vouched for them.</param>
    Result<Unit, IndexError> Finish(IReadOnlyCollection<NodeId> witnesses);
}
