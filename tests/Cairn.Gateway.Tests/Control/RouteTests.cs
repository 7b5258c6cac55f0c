using Cairn.Core.Primitives;
using Cairn.Gateway.Control;
using Cairn.Node.Control;
using Microsoft.AspNetCore.Http;

namespace Cairn.Gateway.Tests.Control;

/// <summary>What a request's parameters may look like.</summary>
public sealed class RouteTests
{
    private const string Node = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    [Theory]
    [InlineData("?name=a", null)]
    [InlineData("?other=a", "missing")]
    [InlineData("?name=", "missing")]
    [InlineData("?name=a&name=b", "more than once")]
    [InlineData("?name=&name=b", "more than once")]
    public void A_parameter_that_must_be_there_is_there_once(string query, string? refusal) =>
        AssertRefused(refusal, Route.Required(Asking(query), "name"));

    [Theory]
    [InlineData($"?node={Node}&node={Node}", null)]
    [InlineData("?node=a", "no node's id")]
    [InlineData("", "missing")]
    public void Of_nodes_that_must_be_there_is_one_at_least(string query, string? refusal) =>
        AssertRefused(refusal, Route.Nodes(Asking(query), "node", isRequired: true));

    [Fact]
    public void Nodes_that_need_not_be_there_may_be_none() =>
        Assert.Empty(Route.Nodes(Asking(string.Empty), "node", isRequired: false).Value);

    private static void AssertRefused<T>(string? words, Result<T, ControlError> answer)
    {
        Assert.Equal(words is null, answer.TryGet(out _, out ControlError error));
        if (words is not null)
        {
            Assert.Contains(words, error.Message, StringComparison.Ordinal);
        }
    }

    private static DefaultHttpContext Asking(string query) =>
        new() { Request = { QueryString = new QueryString(query) } };
}
