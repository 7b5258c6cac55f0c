using System.CommandLine;
using System.Diagnostics;
using Cairn.Cli.Daemon;
using Cairn.Cli.Demo;
using Cairn.Cli.Output;
using Cairn.Io.Host;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn up</c>: runs the daemon, here or in the background.</summary>
public static class UpCommand
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(50);

    /// <summary>Builds the command.</summary>
    public static Command Create()
    {
        Option<bool> detach = new("--detach", "-d")
        {
            Description = "Run in the background; the log is daemon.log in the home.",
        };
        Option<bool> quietNetwork = new("--no-announce") { Description = "Do not announce or discover by multicast." };
        Option<string?> passphraseFile = new("--passphrase-file")
        {
            Description = "Where a locked node's passphrase is (its first line); - is standard input.",
            HelpName = "FILE",
        };
        Option<TimeSpan?> waitReads = GlobalOptions.Seconds(
            "--wait-reads",
            "Let a read of what is not on this machine wait so long for one that has it, from now on.");
        Command command = new ManualCommand(
            "up",
            "Run this machine's daemon in the foreground (or --detach it).",
            "The daemon mounts the drives it had mounted when it last ran. A locked node (cairn lock) asks for its "
            + "passphrase on a terminal; without one it waits until 'cairn unlock' brings it. Ctrl-C or 'cairn down' "
            + "stops the daemon; being killed loses nothing that was acknowledged. A read of what is not here fails "
            + "at once (no route to host) while no machine that has it can be reached, or waits with --wait-reads, "
            + "which the home remembers (0 ends it).",
            "cairn up",
            "cairn up --detach",
            "cairn up --detach --passphrase-file /run/secrets/cairn")
        {
            detach, quietNetwork, passphraseFile, waitReads,
        };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            if (parsed.GetValue(waitReads) is { } wait)
            {
                int seconds = (int)Math.Ceiling(wait.TotalSeconds);
                HomeConfig.Change(context.Home, config => config with { WaitReadsSeconds = seconds });
            }

            HomeConfig.Load(context.Home);
            string? passphrase = Passphrase(context.Home, parsed.GetValue(passphraseFile));
            if (parsed.GetValue(detach))
            {
                return await Detach(context, parsed.GetValue(quietNetwork), passphrase, cancellation);
            }

            await DaemonHost.Run(context.Home, !parsed.GetValue(quietNetwork), passphrase, cancellation);
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>The passphrase of a locked node: from the file, else from the person, if there is one.</summary>
    private static string? Passphrase(string home, string? file)
    {
        if (!NodeKeys.IsSealed(home))
        {
            return null;
        }

        return file is not null || !Console.IsInputRedirected ? Prompt.Passphrase("Passphrase", file) : null;
    }

    private static async Task<int> Detach(
        CommandContext context, bool quietNetwork, string? passphrase, CancellationToken cancellation)
    {
        if (HomeLock.IsTaken(context.Home))
        {
            throw new CommandException($"a daemon runs on {context.Home} already");
        }

        PrivateFolder.KeepAllPrivate();
        string log = HomeFolder.Log(context.Home);
        using Process daemon = Start(context.Home, log, quietNetwork);
        string socket = HomeFolder.ControlSocket(context.Home);
        while (!await ControlClient.Answers(socket, cancellation))
        {
            if (daemon.HasExited)
            {
                string tail = File.Exists(log) ? string.Join('\n', File.ReadLines(log).TakeLast(5)) : string.Empty;
                throw new CommandException($"the daemon ended at once; its log is {log}\n{tail}");
            }

            await Task.Delay(LookEvery, cancellation);
        }

        if (passphrase is not null)
        {
            await UnlockRequest.Send(context, passphrase, cancellation);
        }

        context.Say($"The daemon runs (process {daemon.Id}); its log is {log}.");
        if (passphrase is null && NodeKeys.IsSealed(context.Home))
        {
            context.Say("Its keys are locked: run 'cairn unlock'.");
        }

        return ExitCode.Ok;
    }

    /// <summary>Starts this program again in a session of its own, which a closed terminal does not end.</summary>
    private static Process Start(string home, string log, bool quietNetwork)
    {
        string[] arguments = quietNetwork ? ["up", "--no-announce"] : ["up"];
        ProcessStartInfo inner = CairnProcess.StartInfo(home, arguments);
        ProcessStartInfo start = new("setsid") { UseShellExecute = false };
        const string script = "log=$1; shift; exec \"$@\" >>\"$log\" 2>&1 </dev/null";
        string[] shell = ["sh", "-c", script, "cairn", log, inner.FileName];
        foreach (string argument in shell.Concat(inner.ArgumentList))
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["CAIRN_HOME"] = home;
        return Process.Start(start) ?? throw new CommandException("the daemon did not start");
    }
}
