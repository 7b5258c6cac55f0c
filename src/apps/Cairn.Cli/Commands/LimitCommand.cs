using System.CommandLine;
using Cairn.Cli.Output;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn limit</c>: how fast chunks may be sent and received.</summary>
public static class LimitCommand
{
    /// <summary>Builds the command.</summary>
    public static Command Create()
    {
        Option<long?> send = GlobalOptions.Size("--send", "Bytes a second to send at most, such as 5MiB; 0 lifts the limit.");
        Option<long?> receive = GlobalOptions.Size("--receive", "Bytes a second to receive at most; 0 lifts the limit.");
        Command command = new("limit", "Limit the bandwidth that replication may use, at once and from now on.") { send, receive };
        command.Validators.Add(result =>
        {
            if (result.GetValue(send) is null && result.GetValue(receive) is null)
            {
                result.AddError("say --send SIZE, --receive SIZE, or both (0 lifts a limit)");
            }
        });
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            long sendBytes = parsed.GetValue(send) ?? 0;
            long receiveBytes = parsed.GetValue(receive) ?? 0;
            using HttpResponseMessage _ = await context.Client.Send(
                HttpMethod.Put, FormattableString.Invariant($"/v1/limit?send={sendBytes}&receive={receiveBytes}"), null, cancellation);
            context.Say($"Sending {Words(sendBytes)}, receiving {Words(receiveBytes)}.");
            return ExitCode.Ok;
        });
        return command;
    }

    private static string Words(long bytes) => bytes == 0 ? "without limit" : $"at most {SizeText.Format(bytes)}/s";
}
