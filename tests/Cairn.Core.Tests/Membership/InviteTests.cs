using Cairn.Core.Membership;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tests.Membership;

public sealed class InviteTests
{
    /// <summary>A code made by version 1; it must be readable for ever (docs/formats/invite-code.md).</summary>
    private const string GoldenV4 = "205187-H82GFB-HR87SX-M020G3-0G2GC1-R81450-P30D1R-7H0CJM";

    private static readonly Bytes16 Secret = new([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);

    public static TheoryData<string> Hosts => new("10.20.30.40", "2001:db8::1", "pc-in-the-cellar.example", "x");

    [Theory]
    [MemberData(nameof(Hosts))]
    public void A_code_reads_what_it_prints_however_it_is_typed(string host)
    {
        InviteCode code = InviteCode.Create(new NodeAddress(host, 7700), MemberKit.Node(1), Secret);
        string text = code.ToString();
        Assert.Equal(code, InviteCode.Parse(text).Value);
        Assert.Equal(code, InviteCode.Parse(text.ToLowerInvariant().Replace("-", " ", StringComparison.Ordinal)).Value);
        Assert.Equal(code, InviteCode.Parse(text.Replace('0', 'o').Replace('1', 'l')).Value);
        Assert.True(code.Matches(MemberKit.Node(1)));
        Assert.False(code.Matches(MemberKit.Node(2)));
    }

    [Fact]
    public void A_code_for_an_ipv4_address_has_48_digits()
    {
        string text = InviteCode.Create(new NodeAddress("10.20.30.40", 7700), MemberKit.Node(1), Secret).ToString();
        Assert.Equal(48, text.Count(char.IsLetterOrDigit));
    }

    [Theory]
    [MemberData(nameof(Hosts))]
    public void Damage_is_named(string host)
    {
        string text = InviteCode.Create(new NodeAddress(host, 7700), MemberKit.Node(1), Secret).ToString();
        Assert.Equal(InviteCodeError.Empty, InviteCode.Parse(null).Error);
        Assert.Equal(InviteCodeError.Empty, InviteCode.Parse(" - ").Error);
        for (int length = 1; length < text.TrimEnd('-').Length; length++)
        {
            Assert.Equal(InviteCodeError.Truncated, InviteCode.Parse(text[..length]).Error);
        }

        Assert.Equal(InviteCodeError.Garbled, InviteCode.Parse(text + "0").Error);
        Assert.Equal(InviteCodeError.Garbled, InviteCode.Parse(text[..^1] + "!").Error);
        Assert.Equal(InviteCodeError.NewerFormat, InviteCode.Parse("4" + text[1..]).Error);
        for (int i = 4; i < text.Length; i++)
        {
            char other = text[i] == 'A' ? 'B' : 'A';
            Assert.True(text[i] == '-' || !InviteCode.Parse(text[..i] + other + text[(i + 1)..]).IsOk, $"digit {i}");
        }
    }

    [Fact]
    public void An_invite_works_once()
    {
        InviteBook book = new();
        book.Add(Secret, nowMs: 1000);
        byte[] proof = Proof(joiner: 2);
        byte[] answer = Redeem(book, proof, joiner: 2, nowMs: 2000).Value;
        Assert.True(InviteProof.Verify(
            Secret, InviteRole.Inviter, MemberKit.Key(1).AsSpan(), MemberKit.Key(2).AsSpan(), answer));
        Assert.Equal(InviteRejection.Used, Redeem(book, proof, joiner: 2, nowMs: 2001).Error);
        InviteBook restarted = InviteBook.Decode(book.Encode(3000), nowMs: 5).Value;
        Assert.Equal(InviteRejection.Used, Redeem(restarted, proof, joiner: 2, nowMs: 6).Error);
    }

    [Fact]
    public void An_invite_expires_after_ten_minutes_of_running_time_on_any_clock()
    {
        InviteBook book = new();
        InviteTerms terms = new(MemberRole.Admin, IsReadOnly: true);
        book.Add(Secret, nowMs: 1000, terms);
        InviteBook restarted = InviteBook.Decode(book.Encode(1000 + (InviteBook.LifetimeMs / 2)), nowMs: 0).Value;
        Assert.Equal(terms, restarted.TermsOf(InviteProof.TagOf(Secret)));
        long last = (InviteBook.LifetimeMs / 2) - 1;
        Assert.Equal(1, restarted.OpenCount);
        Assert.Equal(InviteRejection.Expired, Redeem(restarted, Proof(2), 2, last + 1).Error);
        InviteBook again = InviteBook.Decode(book.Encode(1000 + (InviteBook.LifetimeMs / 2)), nowMs: 0).Value;
        Assert.True(Redeem(again, Proof(2), 2, last).IsOk);
    }

    [Fact]
    public void A_restart_does_not_give_an_invite_its_ten_minutes_again()
    {
        WallTime made = new(1_000_000_000_000);
        InviteBook book = new();
        book.Add(Secret, nowMs: 0);
        byte[] saved = book.Encode(0, made);

        // Two minutes later, then a year later, and with a clock that was set back meanwhile.
        InviteBook soon = InviteBook.Decode(saved, nowMs: 0, After(made, TimeSpan.FromMinutes(2))).Value;
        Assert.True(Redeem(soon, Proof(2), 2, nowMs: (8 * 60 * 1000) - 1).IsOk);
        soon = InviteBook.Decode(saved, nowMs: 0, After(made, TimeSpan.FromMinutes(2))).Value;
        Assert.Equal(InviteRejection.Expired, Redeem(soon, Proof(2), 2, nowMs: 8 * 60 * 1000).Error);
        InviteBook late = InviteBook.Decode(saved, nowMs: 0, After(made, TimeSpan.FromDays(365))).Value;
        Assert.Equal(0, late.OpenCount);
        Assert.Equal(InviteRejection.Expired, Redeem(late, Proof(2), 2, nowMs: 0).Error);
        InviteBook back = InviteBook.Decode(saved, nowMs: 0, After(made, TimeSpan.FromDays(-1))).Value;
        Assert.Equal(InviteRejection.Expired, Redeem(back, Proof(2), 2, nowMs: InviteBook.LifetimeMs).Error);
    }

    private static WallTime After(WallTime time, TimeSpan span) =>
        new(time.UnixNanoseconds + (span.Ticks * TimeSpan.NanosecondsPerTick));

    [Fact]
    public void Five_wrong_proofs_kill_an_invite_even_for_who_knows_it()
    {
        InviteBook book = new();
        book.Add(Secret, nowMs: 0);
        for (int i = 0; i < InviteBook.AttemptsMax; i++)
        {
            Assert.Equal(InviteRejection.WrongProof, Redeem(book, Proof(joiner: 3), joiner: 2, nowMs: 1).Error);
        }

        Assert.Equal(InviteRejection.TooManyAttempts, Redeem(book, Proof(joiner: 2), joiner: 2, nowMs: 1).Error);
    }

    [Fact]
    public void A_proof_is_bound_to_its_role_and_to_both_keys()
    {
        byte[] proof = Proof(joiner: 2);
        Assert.False(InviteProof.Verify(
            Secret, InviteRole.Inviter, MemberKit.Key(1).AsSpan(), MemberKit.Key(2).AsSpan(), proof));
        Assert.False(InviteProof.Verify(
            Secret, InviteRole.Joiner, MemberKit.Key(2).AsSpan(), MemberKit.Key(1).AsSpan(), proof));
        Assert.False(InviteProof.Verify(
            Secret, InviteRole.Joiner, MemberKit.Key(1).AsSpan(), MemberKit.Key(2).AsSpan(), []));
    }

    [Fact]
    public void Unknown_invites_and_broken_books_are_refused()
    {
        InviteBook book = new();
        Assert.Equal(InviteRejection.Unknown, Redeem(book, Proof(2), 2, 0).Error);
        book.Add(Secret, 0);
        byte[] bytes = book.Encode(0);
        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Equal(InviteRejection.Malformed, InviteBook.Decode(bytes.AsSpan(0, length), 0).Error);
        }
    }

    [Fact]
    public void The_golden_code_decodes()
    {
        InviteCode code = InviteCode.Create(new NodeAddress("10.20.30.40", 7700), MemberKit.Node(1), Secret);
        Assert.Equal(GoldenV4, code.ToString());
        Assert.Equal(code, InviteCode.Parse(GoldenV4).Value);
    }

    private static byte[] Proof(int joiner) =>
        InviteProof.Compute(Secret, InviteRole.Joiner, MemberKit.Key(1).AsSpan(), MemberKit.Key(joiner).AsSpan());

    private static Result<byte[], InviteRejection> Redeem(InviteBook book, byte[] proof, int joiner, long nowMs) =>
        book.Redeem(InviteProof.TagOf(Secret), proof, MemberKit.Key(1).AsSpan(), MemberKit.Key(joiner).AsSpan(), nowMs);
}
