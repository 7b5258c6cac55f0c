using System.CommandLine;
using Cairn.Core.Text;
using Cairn.Gateway.Control;
using Cairn.Node.Control;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn limit</c>: shows or sets how fast chunks may be sent and received.</summary>
public static class LimitCommand
{
    /// <summary>Builds the command.</summary>
    public static Command Create()
    {
        Option<long?> send = GlobalOptions.Size("--send", "Bytes a second to send at most; 0 lifts the limit.");
        Option<long?> receive = GlobalOptions.Size("--receive", "As --send, for what this machine receives.");
        Command command = new ManualCommand(
            "limit",
            "Show or set the bandwidth that copies between machines may use.",
            "Holds at once and over restarts, for this machine only. What is not named stays as it is. Files that "
            + "somebody waits for are not held back.",
            "cairn limit",
            "cairn limit --send 5MiB --receive 20MiB",
            "cairn limit --send 0") { send, receive };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            NodeStatus status = await context.Client.Get("/v1/status", ControlJson.Default.NodeStatus, cancellation);
            BandwidthLimit limit = status.Limit;
            if (parsed.GetValue(send) is not null || parsed.GetValue(receive) is not null)
            {
                limit = new BandwidthLimit(
                    Changed(parsed.GetValue(send), limit.SendBytesPerSecond),
                    Changed(parsed.GetValue(receive), limit.ReceiveBytesPerSecond));
                string query = FormattableString.Invariant(
                    $"?send={limit.SendBytesPerSecond ?? 0}&receive={limit.ReceiveBytesPerSecond ?? 0}");
                using HttpResponseMessage _ = await context.Client.Send(
                    HttpMethod.Put, "/v1/limit" + query, null, cancellation);
            }

            return await context.Print(limit, ControlJson.Default.BandwidthLimit, one => context.Output.WriteLine(
                $"Sending {Words(one.SendBytesPerSecond)}, receiving {Words(one.ReceiveBytesPerSecond)}."));
        });
        return command;
    }

    private static long? Changed(long? said, long? was) => said is null ? was : said == 0 ? null : said;

    private static string Words(long? bytes) =>
        bytes is { } limit ? $"at most {SizeText.Format(limit)}/s" : "without limit";
}
