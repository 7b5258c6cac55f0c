using System.Buffers;
using Cairn.Core.Primitives;

namespace Cairn.Core.Membership;

/// <summary>
/// Why an invite was not redeemed. The newcomer is told which, for each needs another answer from its owner.
/// </summary>
public enum InviteRejection : byte
{
    /// <summary>This node never made such a code, or forgot it long ago.</summary>
    Unknown = 1,

    /// <summary>The code was used already. Ask for another.</summary>
    Used = 2,

    /// <summary>The code is older than its lifetime. Ask for another.</summary>
    Expired = 3,

    /// <summary>Too many wrong proofs were tried on it. Ask for another.</summary>
    TooManyAttempts = 4,

    /// <summary>The proof is wrong: the code was mistyped, or somebody guesses.</summary>
    WrongProof = 5,

    /// <summary>The bytes of a saved book are not one.</summary>
    Malformed = 6,
}

/// <summary>The codes one node has given out. Only it redeems them; each works once.</summary>
/// <remarks>
/// Order that the driver must keep: <see cref="Redeem"/>, then save <see cref="Encode"/> durably, then answer the
/// newcomer; a crash in between costs the code, never lets it work twice. Lifetimes are counted in monotonic
/// milliseconds; across a restart the remaining time is what was saved, less what the wall clock says has passed since: it
/// can shorten a lifetime and never lengthens one, so a code that nobody used does not work again after each restart.
/// </remarks>
public sealed class InviteBook
{
    /// <summary>The format of the saved book.</summary>
    public const byte Version = 4;

    /// <summary>How long a code works, in milliseconds: ten minutes.</summary>
    public const long LifetimeMs = 10 * 60 * 1000;

    /// <summary>Wrong proofs after which a code is dead.</summary>
    public const int AttemptsMax = 5;

    /// <summary>Codes remembered; the oldest are forgotten first.</summary>
    public const int EntriesMax = 256;

    private readonly List<Entry> _entries = [];

    private enum EntryState : byte
    {
        Open = 0,
        Used = 1,
        Expired = 2,
        Exhausted = 3,
    }

    /// <summary>Codes that could still be redeemed, as of the last call that carried a time.</summary>
    public int OpenCount => _entries.Count(entry => entry.State == EntryState.Open);

    /// <summary>Opens a code for ten minutes.</summary>
    /// <param name="secret">What the code carries.</param>
    /// <param name="nowMs">Monotonic milliseconds.</param>
    /// <param name="terms">What whoever redeems it becomes.</param>
    public void Add(Bytes16 secret, long nowMs, InviteTerms terms = default)
    {
        Expire(nowMs);
        if (_entries.Count == EntriesMax)
        {
            _entries.RemoveAt(0);
        }

        _entries.Add(new Entry(InviteProof.TagOf(secret), secret, nowMs + LifetimeMs, 0, EntryState.Open, terms));
    }

    /// <summary>What whoever redeems a code becomes; a member for one that is not known.</summary>
    public InviteTerms TermsOf(Bytes16 tag) => _entries.FindLast(entry => entry.Tag == tag).Terms;

    /// <summary>Checks a newcomer's proof and consumes the code if it is right.</summary>
    /// <param name="tag">What the newcomer said first.</param>
    /// <param name="proof">Its proof.</param>
    /// <param name="inviterKey">This node's identity key.</param>
    /// <param name="joinerKey">The newcomer's identity key, as TLS proved it.</param>
    /// <param name="nowMs">Monotonic milliseconds.</param>
    /// <returns>This node's proof for the newcomer, to be sent after the book has been saved.</returns>
    public Result<byte[], InviteRejection> Redeem(
        Bytes16 tag, ReadOnlySpan<byte> proof, ReadOnlySpan<byte> inviterKey, ReadOnlySpan<byte> joinerKey, long nowMs)
    {
        Expire(nowMs);
        int index = _entries.FindLastIndex(entry => entry.Tag == tag);
        if (index < 0)
        {
            return InviteRejection.Unknown;
        }

        Entry entry = _entries[index];
        if (entry.State != EntryState.Open)
        {
            return entry.State switch
            {
                EntryState.Used => InviteRejection.Used,
                EntryState.Expired => InviteRejection.Expired,
                EntryState.Exhausted => InviteRejection.TooManyAttempts,
                EntryState.Open => throw new System.Diagnostics.UnreachableException(),
                _ => throw new System.Diagnostics.UnreachableException(),
            };
        }

        if (!InviteProof.Verify(entry.Secret, InviteRole.Joiner, inviterKey, joinerKey, proof))
        {
            int attempts = entry.Attempts + 1;
            EntryState state = attempts >= AttemptsMax ? EntryState.Exhausted : EntryState.Open;
            _entries[index] = entry with { Attempts = attempts, State = state };
            return InviteRejection.WrongProof;
        }

        _entries[index] = entry with { State = EntryState.Used, Secret = default };
        return InviteProof.Compute(entry.Secret, InviteRole.Inviter, inviterKey, joinerKey);
    }

    /// <summary>The book as it must be on disk before an answer goes out.</summary>
    /// <param name="nowMs">Monotonic milliseconds.</param>
    /// <param name="wall">What the wall clock says.</param>
    public byte[] Encode(long nowMs, WallTime wall = default)
    {
        Expire(nowMs);
        ArrayBufferWriter<byte> output = new(64);
        WireWriter writer = new(output);
        writer.Byte(Version);
        writer.Int64(wall.UnixNanoseconds);
        writer.Count(_entries.Count);
        foreach (Entry entry in _entries)
        {
            writer.Bytes16(entry.Tag);
            writer.Bytes16(entry.Secret);
            writer.VarUInt((ulong)Math.Max(0, entry.DeadlineMs - nowMs));
            writer.Byte((byte)entry.Attempts);
            writer.Byte((byte)entry.State);
            writer.Byte((byte)entry.Terms.Role);
            writer.Boolean(entry.Terms.IsReadOnly);
        }

        return output.WrittenSpan.ToArray();
    }

    /// <summary>Reads a saved book.</summary>
    /// <param name="bytes">What <see cref="Encode"/> made.</param>
    /// <param name="nowMs">Monotonic milliseconds.</param>
    /// <param name="wall">What the wall clock says.</param>
    public static Result<InviteBook, InviteRejection> Decode(
        ReadOnlySpan<byte> bytes, long nowMs, WallTime wall = default)
    {
        WireReader reader = new(bytes);
        InviteBook book = new();
        byte version = reader.Byte();
        reader.Require(version is > 0 and <= Version);
        long saved = version >= 4 ? reader.Int64() : wall.UnixNanoseconds;
        long passedMs = (long)Int128.Clamp(((Int128)wall.UnixNanoseconds - saved) / 1_000_000, 0, LifetimeMs);
        int count = reader.Count(bytesPerItemMin: 35);
        reader.Require(count <= EntriesMax);
        for (int i = 0; i < count && !reader.Failed; i++)
        {
            Bytes16 tag = reader.Bytes16();
            Bytes16 secret = reader.Bytes16();
            ulong remainingMs = reader.VarUInt();
            byte attempts = reader.Byte();
            byte state = reader.Byte();
            reader.Require(remainingMs <= LifetimeMs && attempts <= AttemptsMax && state <= (byte)EntryState.Exhausted);
            byte role = version == 1 ? (byte)MemberRole.Member : reader.Byte();
            reader.Require(role <= (byte)MemberRole.Admin);
            InviteTerms terms = new((MemberRole)role, version >= 3 && reader.Boolean());
            book._entries.Add(
                new Entry(tag, secret, nowMs + (long)remainingMs - passedMs, attempts, (EntryState)state, terms));
        }

        book.Expire(nowMs);
        return reader.Complete ? book : InviteRejection.Malformed;
    }

    private void Expire(long nowMs)
    {
        for (int i = 0; i < _entries.Count; i++)
        {
            if (_entries[i].State == EntryState.Open && _entries[i].DeadlineMs <= nowMs)
            {
                _entries[i] = _entries[i] with { State = EntryState.Expired, Secret = default };
            }
        }
    }

    private readonly record struct Entry(
        Bytes16 Tag, Bytes16 Secret, long DeadlineMs, int Attempts, EntryState State, InviteTerms Terms);
}
