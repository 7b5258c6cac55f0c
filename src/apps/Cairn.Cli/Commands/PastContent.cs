using Cairn.Cli.Output;
using Cairn.Core.Log;
using Cairn.Core.Text;

namespace Cairn.Cli.Commands;

/// <summary>Asks the daemon for the bytes of a file, as it is now or as it was.</summary>
internal static class PastContent
{
    /// <summary>
    /// The answer, and the file's own name. The past is asked for when the path names a version or a time and no file is called so.
    /// </summary>
    /// <exception cref="CommandException">There is neither, or the daemon does not answer.</exception>
    public static async Task<(HttpResponseMessage Answer, string Name)> Ask(
        CommandContext context, string source, CancellationToken cancellation)
    {
        PastPath past = PastPath.Parse(source);
        try
        {
            HttpResponseMessage now = await context.Client.Send(
                HttpMethod.Get, "/v1/files/content" + VolumePath.Query(source), null, cancellation);
            return (now, Path.GetFileName(VolumePath.Split(source).Path));
        }
        catch (CommandException error) when (past.IsPast && (error.Exit == ExitCode.NotFound || IsTooLong(source)))
        {
            HttpResponseMessage then = await context.Client.Send(
                HttpMethod.Get, "/v1/history/content" + past.Query, null, cancellation);
            return (then, Path.GetFileName(past.Path));
        }
        catch (CommandException error) when (
            error.Exit == ExitCode.NotFound && PastPath.StrangeWord(source) is { } word)
        {
            throw new CommandException($"{error.Message}; if '{word}' is to be a version or a time: {PastPath.Forms}")
            {
                Exit = error.Exit,
            };
        }
    }

    /// <summary>Whether no file can be called so: with '@' and a version behind it, a long name is longer than names can be.</summary>
    private static bool IsTooLong(string source) =>
        NameText.ToBytes(Path.GetFileName(source)).Length > Transaction.NameBytesMax;
}
