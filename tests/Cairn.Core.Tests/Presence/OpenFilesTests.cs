using Cairn.Core.Presence;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tests.Presence;

/// <summary>What members tell each other about files that are open for writing, and what they make of it.</summary>
public sealed class OpenFilesTests
{
    private static readonly NodeId Anna = new(Filled(1, NodeId.Size));
    private static readonly NodeId Ben = new(Filled(2, NodeId.Size));
    private static readonly ObjectId Report = new(Filled(3, ObjectId.Size));
    private static readonly ObjectId Plan = new(Filled(4, ObjectId.Size));

    [Fact]
    public void Each_change_is_told_once_and_what_is_open_is_repeated()
    {
        OpenFilesTold told = new();
        Assert.Null(told.Next(Anna, [], 0));
        Assert.Equal([Report], told.Next(Anna, [Report], 1000));
        Assert.Null(told.Next(Anna, [Report], 2000));
        Assert.Equal([Report, Plan], told.Next(Anna, [Plan, Report], 3000));
        Assert.Equal([Report, Plan], told.Next(Anna, [Report, Plan], 3000 + OpenFilesTold.RepeatMs));
        Assert.Equal([], told.Next(Anna, [], 20_000));
        Assert.Null(told.Next(Anna, [], 99_000));
    }

    [Fact]
    public void Each_member_is_told_for_itself_and_all_again_when_it_is_back()
    {
        OpenFilesTold told = new();
        Assert.NotNull(told.Next(Anna, [Report], 0));
        Assert.NotNull(told.Next(Ben, [Report], 0));
        told.Forget(Anna);
        Assert.NotNull(told.Next(Anna, [Report], 1));
        Assert.Null(told.Next(Ben, [Report], 1));
    }

    [Fact]
    public void No_more_than_the_most_is_told()
    {
        ObjectId[] many =
        [
            .. Enumerable.Range(0, OpenFilesTold.FilesMax + 9)
                .Select(number => new ObjectId([(byte)(number >> 8), (byte)number, .. new byte[ObjectId.Size - 2]])),
        ];
        Assert.Equal(OpenFilesTold.FilesMax, new OpenFilesTold().Next(Anna, many, 0)!.Count);
        OpenFilesHeard heard = new();
        heard.Hear(Anna, many, 0);
        Assert.Equal(OpenFilesTold.FilesMax, heard.Files(0).Count);
    }

    [Fact]
    public void A_word_takes_the_place_of_the_one_before_and_remembers_since_when()
    {
        OpenFilesHeard heard = new();
        Assert.Equal([Report], heard.Hear(Anna, [Report], 1000));
        Assert.Equal([Plan], heard.Hear(Anna, [Report, Plan], 2000));
        heard.Hear(Ben, [Plan], 3000);
        Assert.Equal([new FileOpener(Anna, 1000)], heard.Of(Report, 3000));
        Assert.Equal([new FileOpener(Anna, 2000), new FileOpener(Ben, 3000)], heard.Of(Plan, 3000));
        Assert.Equal([Report, Plan], heard.Files(3000));
        heard.Hear(Anna, [], 4000);
        Assert.Empty(heard.Of(Report, 4000));
        Assert.Equal([Plan], heard.Files(4000));
    }

    [Fact]
    public void A_word_that_is_not_repeated_lapses()
    {
        OpenFilesHeard heard = new();
        heard.Hear(Anna, [Report], 0);
        heard.Hear(Ben, [Report], OpenFilesHeard.LapseMs - 1);
        Assert.Equal(2, heard.Of(Report, OpenFilesHeard.LapseMs - 1).Count);
        Assert.Equal([Ben], heard.Of(Report, OpenFilesHeard.LapseMs).Select(opener => opener.Member));
        Assert.Equal([Report], heard.Hear(Anna, [Report], OpenFilesHeard.LapseMs));
    }

    private static byte[] Filled(byte value, int length)
    {
        byte[] bytes = new byte[length];
        Array.Fill(bytes, value);
        return bytes;
    }
}
