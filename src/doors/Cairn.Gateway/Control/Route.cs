using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Cairn.Gateway.Control;

/// <summary>Maps a route to a function of the request: no reflection over parameters, so the daemon starts quickly.</summary>
internal static class Route
{
    public static void Get(WebApplication app, string pattern, Func<HttpContext, Task<IResult>> handle) =>
        Map(app, HttpMethods.Get, pattern, handle);

    public static void Post(WebApplication app, string pattern, Func<HttpContext, Task<IResult>> handle) =>
        Map(app, HttpMethods.Post, pattern, handle);

    public static void Put(WebApplication app, string pattern, Func<HttpContext, Task<IResult>> handle) =>
        Map(app, HttpMethods.Put, pattern, handle);

    public static void Delete(WebApplication app, string pattern, Func<HttpContext, Task<IResult>> handle) =>
        Map(app, HttpMethods.Delete, pattern, handle);

    /// <summary>A query parameter that must be there, once; anything else is answered with 400.</summary>
    public static Result<string, ControlError> Required(HttpContext context, string name) =>
        context.Request.Query[name] switch
        {
            [{ Length: > 0 } value] => value,
            [_, _, ..] => new ControlError(
                ControlErrorKind.InvalidArgument, $"the parameter '{name}' is given more than once"),
            _ => Missing(name),
        };

    /// <summary>Acts on a query parameter that must be there.</summary>
    public static async Task<IResult> With(HttpContext context, string name, Func<string, Task<IResult>> act) =>
        Required(context, name).TryGet(out string? value, out ControlError error)
            ? await act(value)
            : ControlReplies.Refuse(error);

    /// <summary>The ids that a query parameter gives, once for each.</summary>
    /// <param name="context">The request.</param>
    /// <param name="name">The parameter.</param>
    /// <param name="isRequired">Whether none at all is answered with 400.</param>
    public static Result<NodeId[], ControlError> Nodes(HttpContext context, string name, bool isRequired)
    {
        string[] texts = [.. context.Request.Query[name].OfType<string>()];
        if (isRequired && texts.Length == 0)
        {
            return Missing(name);
        }

        NodeId[] nodes = new NodeId[texts.Length];
        for (int i = 0; i < texts.Length; i++)
        {
            if (!NodeId.TryParse(texts[i], out nodes[i]))
            {
                return new ControlError(ControlErrorKind.InvalidArgument, $"'{texts[i]}' is no node's id");
            }
        }

        return nodes;
    }

    /// <summary>Whether a query parameter says true.</summary>
    public static bool Flag(HttpContext context, string name) => context.Request.Query[name] == "true";

    private static ControlError Missing(string name) =>
        new(ControlErrorKind.InvalidArgument, $"the parameter '{name}' is missing");

    private static void Map(
        WebApplication app, string method, string pattern, Func<HttpContext, Task<IResult>> handle) =>
        app.MapMethods(pattern, [method], async context =>
        {
            IResult result = await handle(context);
            await result.ExecuteAsync(context);
        });
}
