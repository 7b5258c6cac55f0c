using Cairn.Core.Primitives;
using Cairn.Core.Rights;

namespace Cairn.Node.Logs;

/// <summary>What the pool's membership says about a block of somebody's log.</summary>
public enum AuthorStanding
{
    /// <summary>The author may write here: verify, fold.</summary>
    Accepted,

    /// <summary>No grant for this author is known yet. The grant may still arrive: ask again later.</summary>
    Unknown,

    /// <summary>The block lies past the author's last accepted one: kept in quarantine, neither folded nor lost.</summary>
    Revoked,
}

/// <summary>Who may write to a log, and with which key: the pool's membership as a log sees it.</summary>
/// <remarks>Implementations answer from memory and are safe to call from several threads.</remarks>
public interface IMembers
{
    /// <summary>The identity public key (SubjectPublicKeyInfo) of a member, past ones included; empty if never granted.</summary>
    ReadOnlyMemory<byte> PublicKeyOf(NodeId author);

    /// <summary>Whether a block may be folded.</summary>
    /// <param name="log">Whose log, which incarnation.</param>
    /// <param name="blockSeq">The block's number in it.</param>
    AuthorStanding StandingOf(LogId log, ulong blockSeq);

    /// <summary>Which transactions of a volume are obeyed.</summary>
    WriteRights Rights => WriteRights.None;
}
