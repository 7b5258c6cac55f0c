using System.Text.Json;
using Cairn.Cli.Commands;
using Cairn.Cli.Output;
using Cairn.Core.Primitives;
using Cairn.Gateway.Control;
using Cairn.Node.Volumes;
using Microsoft.AspNetCore.Http;

namespace Cairn.Cli.Tests.Commands;

public sealed class ConflictResolverTests
{
    private static ConflictSideSummary Side(byte author, long time) => new(
        $"doc{author}", ObjectKind.File, 1, author, new WallTime(time), Node(author), $"node{author}",
        string.Empty);

    private static NodeId Node(byte number)
    {
        byte[] id = new byte[NodeId.Size];
        id[0] = number;
        return new NodeId(id);
    }

    private static string Choose(string keep, byte self, params ConflictSideSummary[] sides) =>
        ConflictResolver.Choose(new ConflictSummary("doc", sides), keep, Node(self)).AuthorName;

    [Fact]
    public void A_side_is_chosen_by_who_wrote_it_or_by_its_claim()
    {
        ConflictSideSummary[] sides = [Side(1, 50), Side(2, 40)];
        Assert.Equal("node1", Choose("mine", 1, sides));
        Assert.Equal("node2", Choose("theirs", 1, sides));
        Assert.Equal("node2", Choose("mine", 2, sides));
        Assert.Equal("node1", Choose("newest", 2, sides));
    }

    /// <summary>Ending one may give the folder of another its other name.</summary>
    [Fact]
    public async Task One_that_is_not_there_any_more_does_not_stop_the_others()
    {
        List<string> asked = [];
        await using AnsweringDaemon daemon = await AnsweringDaemon.Start(async context =>
        {
            if (context.Request.Path == "/v1/history/conflicts")
            {
                IReadOnlyList<ConflictSummary> conflicts =
                    [new("gone/doc", [Side(1, 50), Side(2, 40)]), new("there", [Side(1, 50), Side(2, 40)])];
                context.Response.ContentType = "application/json";
                await context.Response.WriteAsync(
                    JsonSerializer.Serialize(conflicts, ControlJson.Default.IReadOnlyListConflictSummary));
                return;
            }

            string path = context.Request.Query["path"].ToString();
            asked.Add(path);
            context.Response.StatusCode = path == "there" ? 204 : 404;
        });
        Assert.Equal(
            ExitCode.Failed,
            await daemon.Run(TestContext.Current.CancellationToken, "resolve", "v", "--keep", "merge"));
        Assert.Equal(["gone/doc", "there"], asked);
    }

    [Fact]
    public void A_choice_that_names_no_side_or_two_says_what_to_do()
    {
        Assert.Contains("--keep newest", Assert.Throws<CommandException>(
            () => Choose("mine", 3, Side(1, 50), Side(2, 40))).Message, StringComparison.Ordinal);
        Assert.Contains("doc", Assert.Throws<CommandException>(
            () => Choose("theirs", 1, Side(1, 1), Side(2, 50), Side(3, 40))).Message, StringComparison.Ordinal);
    }
}
