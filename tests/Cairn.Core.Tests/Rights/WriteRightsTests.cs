using System.Collections.Immutable;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rights;
using Cairn.Core.Tests.Tree;
using Cairn.Core.Tree;

namespace Cairn.Core.Tests.Rights;

/// <summary>Members that only read: what of theirs is refused, and that nothing a changed program does gets around it.</summary>
public sealed class WriteRightsTests
{
    private static readonly LogId Theirs = new(new NodeId(Enumerable.Repeat((byte)7, NodeId.Size).ToArray()), 3);

    private static readonly MemoryTable Nothing = new();

    [Fact]
    public void What_the_admin_had_seen_stands_and_what_it_had_not_is_judged_by_its_last_word()
    {
        WriteRights rights = Rights(Limit(false, 10), Limit(true, 20), Limit(false, 30));
        Assert.False(rights.Refuses(Edit(Theirs, 10)));
        Assert.True(rights.Refuses(Edit(Theirs, 31)));
        Assert.False(rights.MayWrite(Theirs.Author));

        // Seen by the last: what the second allowed, and of what the second had seen, what the first refused.
        Assert.False(rights.Refuses(Edit(Theirs, 21)));
        Assert.True(rights.Refuses(Edit(Theirs, 20)));
        Assert.False(rights.Refuses(Edit(Theirs with { Author = default }, 31)));
    }

    [Fact]
    public void A_new_incarnation_claims_no_age()
    {
        WriteRights rights = Rights(Limit(false, 10));
        Assert.True(rights.Refuses(Edit(Theirs with { Incarnation = 4 }, 1)));
        Assert.True(rights.Refuses(Edit(Theirs with { Incarnation = 2 }, 1)));
    }

    [Fact]
    public void Who_only_reads_takes_part_in_garbage_collection_and_in_nothing_beside_it()
    {
        WriteRights rights = Rights(Limit(false, 0));
        Primitive mark = new SetRule(MarkPlace.Of(Theirs.Author), default);
        Primitive others = new SetRule(MarkPlace.Of(default), default);
        Assert.False(rights.Refuses(Edit(Theirs, 1, new Rescue([]), mark, new NameAuthor("x"u8.ToArray()))));
        Assert.True(rights.Refuses(Edit(Theirs, 1, others)));
        Assert.True(rights.Refuses(Edit(Theirs, 1, mark, new DiscardHeads(default, []))));
        Assert.True(rights.Refuses(Edit(Theirs, 1, new Condemn(LogPositions.Empty, [], [], [], []))));
    }

    [Fact]
    public void A_limit_that_had_seen_all_that_is_folded_needs_no_fold()
    {
        LogPositions folded = LogPositions.From([new(Theirs, new LogPosition(1, 10))]);
        WriteRights one = Rights(Limit(false, 10));
        Assert.False(one.JudgesOtherwise(WriteRights.None, folded, Nothing));
        Assert.True(Rights(Limit(false, 9)).JudgesOtherwise(WriteRights.None, folded, Nothing));
        Assert.False(one.JudgesOtherwise(one, folded, Nothing));

        // The same words again, after another: they are not the same judgement.
        WriteRights two = Rights(Limit(false, 0), Limit(true, 0));
        Assert.True(Rights(Limit(false, 0), Limit(true, 0), Limit(false, 0)).JudgesOtherwise(two, folded, Nothing));
    }

    [Fact]
    public void Who_is_not_on_the_list_of_a_volume_is_refused_newcomers_too()
    {
        LogPositions seen = LogPositions.From([new(Theirs, new LogPosition(1, 10))]);
        var rights = new WriteRights([], new WritersLimit([default], seen));
        LogId listed = Theirs with { Author = default };
        Assert.False(rights.Refuses(Edit(Theirs, 10)));
        Assert.True(rights.Refuses(Edit(Theirs, 11)));
        Assert.True(rights.Refuses(Edit(Theirs with { Incarnation = 1 }, 1)));
        Assert.False(rights.Refuses(Edit(listed, 1)));
        Assert.False(rights.MayWrite(Theirs.Author));

        // Both lists are asked, and a later word that everybody may is for what it had not seen.
        Assert.True(new WriteRights(
            [new(listed.Author, [new MemberLimit(false, LogPositions.Empty)])], new WritersLimit([default], seen))
            .Refuses(Edit(listed, 1)));
        var open = new WriteRights(
            [], new WritersLimit([default], LogPositions.Empty), new WritersLimit(null, seen));
        Assert.True(open.Refuses(Edit(Theirs, 10)));
        Assert.False(open.Refuses(Edit(Theirs, 11)));
        WriteRights before = new([], new WritersLimit([default], LogPositions.Empty));
        Assert.False(open.JudgesOtherwise(before, seen, Nothing));
        Assert.True(open.JudgesOtherwise(WriteRights.None, seen, Nothing));
    }

    [Fact]
    public void To_accept_what_was_refused_of_some_takes_nothing_from_the_others()
    {
        LogId others = Theirs with { Author = default };
        LogPositions held = LogPositions.From(
            [new(Theirs, new LogPosition(1, 10)), new(others, new LogPosition(1, 10))]);
        var before = new WritersLimit([], LogPositions.Empty);
        LimitVolume some = LimitVolume.By(default, [Theirs.Author], held, acceptsRefused: true);
        var rights = new WriteRights([], new WritersLimit(some.Writers, some.Seen));
        Assert.False(rights.Refuses(Edit(Theirs, 10)) || rights.Refuses(Edit(others, 10)));
        Assert.True(rights.Refuses(Edit(others, 11)));
        rights = new WriteRights([], before, new WritersLimit(some.Writers, some.Seen));
        Assert.False(rights.Refuses(Edit(Theirs, 10)));
        Assert.True(rights.Refuses(Edit(others, 10)));
        LimitVolume all = LimitVolume.By(default, null, held, acceptsRefused: true);
        rights = new WriteRights([], before, new WritersLimit(all.Writers, all.Seen));
        Assert.False(rights.Refuses(Edit(Theirs, 10)) || rights.Refuses(Edit(others, 10)));
    }

    [Fact]
    public void What_is_kept_beside_a_fold_reads_back()
    {
        WritersLimit[] writers = [new([Theirs.Author], LogPositions.Empty), new(null, LogPositions.Empty)];
        byte[] bytes = new WriteRights(
            [new(Theirs.Author, [Limit(false, 10), Limit(true, 20)])], [.. writers]).Encode();
        Assert.Equal(bytes, WriteRights.Decode(bytes).Encode());
        Assert.False(WriteRights.Decode(bytes).Refuses(Edit(Theirs, 21)));
        Assert.True(WriteRights.Decode(WriteRights.None.Encode()).IsEmpty);
    }

    [Fact]
    public void The_limited_change_nothing_by_hiding_what_they_had_seen()
    {
        var admin = new Replica(1);
        var reader = new Replica(2);
        admin.Create("f", "good");
        reader.Receive(admin);
        var rights = new WriteRights([new(reader.Log.Author, [new MemberLimit(false, LogPositions.Empty)])]);
        admin.Applier.Rights = rights;

        // No dependencies, so it is put before everything else; a later one of somebody who saw it stands on nothing.
        ObjectId file = admin.Find("f")!.Value.Object;
        var old = new Transaction(
            new TransactionId(reader.Log with { Incarnation = 9 }, 1), [], default,
            [new SetAttributes(file, default, 0, null, null, null), new DiscardHeads(file, [])]);
        Assert.Null(reader.Write("f", "bad"));
        admin.Fold.Receive([old, .. reader.Written]);
        Assert.Equal("good", admin.Read("f"));
        Assert.Equal("/f=good\n", admin.Listing());
        Assert.Equal(2, admin.Queries.RefusedOf(reader.Log.Author));
    }

    private static WriteRights Rights(params ImmutableArray<MemberLimit> limits) => new([new(Theirs.Author, limits)]);

    private static MemberLimit Limit(bool mayWrite, ulong seen) =>
        new(mayWrite, LogPositions.From([new(Theirs, new LogPosition(1, seen))]));

    private static Transaction Edit(LogId log, ulong seq, params ImmutableArray<Primitive> primitives) =>
        new(
            new TransactionId(log, seq), [], default,
            primitives.IsEmpty ? [new SetRule(default, default)] : primitives);
}
