using System.Buffers;
using System.Security.Cryptography;
using Cairn.Core.Primitives;

namespace Cairn.Core.Membership;

/// <summary>
/// What only a pool's members can show, in a form that opens nothing: with it the recovery kit tells the pool from a machine
/// that only says it is of the pool.
/// </summary>
/// <remarks>
/// A hash over the pool's id, its founder, whose log everything else in the pool goes back to, and the dedup secret of the
/// pool's own log, which every member has, nobody else, and which never changes. Source: docs/formats/recovery-kit.md, "Pin".
/// </remarks>
/// <param name="Value">The hash.</param>
public readonly record struct PoolPin(Bytes32 Value)
{
    /// <summary>The pin of a pool.</summary>
    /// <param name="pool">Which pool.</param>
    /// <param name="founder">The node that founded it.</param>
    /// <param name="secret">The dedup secret of the pool's log.</param>
    public static PoolPin Of(PoolId pool, NodeId founder, ReadOnlySpan<byte> secret)
    {
        ArrayBufferWriter<byte> input = new(128);
        WireWriter writer = new(input);
        writer.Raw("cairn pool pin\0"u8);
        writer.Bytes16(pool.Value);
        writer.Bytes32(founder.Value);
        writer.Raw(secret);
        return new PoolPin(new Bytes32(SHA256.HashData(input.WrittenSpan)));
    }
}
