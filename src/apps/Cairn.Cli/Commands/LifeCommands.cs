using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Cairn.Cli.Daemon;
using Cairn.Cli.Demo;
using Cairn.Cli.Output;
using Cairn.Core.Primitives;
using Cairn.Gateway.Control;
using Cairn.Node;
using Cairn.Node.Control;

namespace Cairn.Cli.Commands;

/// <summary>A node's life: <c>init</c>, <c>join</c>, <c>recover</c>, <c>up</c>, <c>down</c>, <c>leave</c>.</summary>
public static class LifeCommands
{
    private static readonly Option<long?> Space = GlobalOptions.Size("--space", "What this machine gives, such as 50GiB. Default: 10GiB.");

    private static readonly Option<string?> Name = new("--name") { Description = "This machine's name in the pool. Default: its host name.", HelpName = "NAME" };

    private static readonly Option<string?> Listen = new("--listen")
    {
        Description = "Address and port to listen on. Default: 0.0.0.0:7866; port 0 lets the system choose.",
        HelpName = "ADDRESS:PORT",
    };

    private static readonly Option<string?> Zone = new("--zone") { Description = "Where the machine stands; copies are spread over zones.", HelpName = "ZONE" };

    /// <summary>Makes a pool.</summary>
    public static Command CreateInit()
    {
        Option<string?> kit = new("--kit") { Description = "Write the recovery kit to a file instead of printing it.", HelpName = "FILE" };
        Command command = new("init", "Make a pool with this machine as its first, and print the recovery kit.") { Space, Name, Listen, Zone, kit };
        CommandContext.Attach(command, async (context, parsed, _) =>
        {
            HomeConfig config = NewConfig(context, parsed);
            await using NodeWorld world = NodeWorld.Open(context.Home, config, null, makeKeys: true);
            FoundedPool pool = Must(await world.Loop.Call(() => Task.FromResult(Founding.Found(world.Ports, world.Options))));
            Keep(context.Home, config, world);
            if (parsed.GetValue(kit) is { } file)
            {
                await File.WriteAllTextAsync(file, pool.RecoveryKit + "\n", CancellationToken.None);
                File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
            }

            if (context.Json)
            {
                await context.Output.WriteLineAsync(JsonSerializer.Serialize(pool, ControlJson.Default.FoundedPool));
                return ExitCode.Ok;
            }

            context.Say($"The pool {pool.Pool.Short} is made; this machine gives {SizeText.Format(config.SpaceBytes)}.");
            if (parsed.GetValue(kit) is null)
            {
                context.Say("Recovery kit: print it and keep it away from the machines. Whoever has it owns the pool.");
                context.Say(pool.RecoveryKit);
            }

            context.Say("Next: cairn up --detach; cairn volume create NAME; cairn invite");
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>Joins a pool.</summary>
    public static Command CreateJoin()
    {
        Argument<string> code = new("code") { Description = "What 'cairn invite' printed on a machine of the pool.", HelpName = "CODE" };
        Command command = new("join", "Join a pool with a one-time code.") { code, Space, Name, Listen, Zone };
        CommandContext.Attach(command, (context, parsed, cancellation) => Enter(
            context, parsed, world => Founding.Join(world.Ports, world.Options, parsed.GetValue(code)!, cancellation)));
        return command;
    }

    /// <summary>Brings an owner back.</summary>
    public static Command CreateRecover()
    {
        Argument<string> kit = new("kit") { Description = "The recovery kit, or a file that holds it.", HelpName = "KIT" };
        Option<string?> address = new("--at") { Description = "A machine of the pool, if the kit's addresses are old.", HelpName = "ADDRESS:PORT" };
        Command command = new("recover", "Bring an owner back on an empty machine, with the recovery kit.") { kit, address, Space, Name, Listen, Zone };
        CommandContext.Attach(command, (context, parsed, cancellation) =>
        {
            string text = parsed.GetValue(kit)!;
            text = File.Exists(text) ? File.ReadAllText(text) : text;
            return Enter(context, parsed, world => Founding.Recover(world.Ports, world.Options, text.Trim(), parsed.GetValue(address), cancellation));
        });
        return command;
    }

    /// <summary>Runs the daemon.</summary>
    public static Command CreateUp()
    {
        Option<bool> detach = new("--detach", "-d") { Description = "Run in the background; the log is daemon.log in the home." };
        Option<bool> quietNetwork = new("--no-announce") { Description = "Do not announce or discover by multicast." };
        Option<string?> passphrase = new("--passphrase-file") { Description = "Where a locked node's passphrase is; - is standard input.", HelpName = "FILE" };
        Command command = new("up", "Run this machine's daemon in the foreground (or --detach it).") { detach, quietNetwork, passphrase };
        CommandContext.Attach(command, async (context, parsed, cancellation) =>
        {
            if (parsed.GetValue(detach))
            {
                return await Detach(context, parsed.GetValue(quietNetwork), parsed.GetValue(passphrase), cancellation);
            }

            string? secret = parsed.GetValue(passphrase) is { } file ? Prompt.Passphrase("Passphrase", file) : null;
            await DaemonHost.Run(context.Home, !parsed.GetValue(quietNetwork), secret, cancellation);
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>Stops the daemon.</summary>
    public static Command CreateDown()
    {
        Command command = new("down", "Stop this machine's daemon; what was written is kept.");
        CommandContext.Attach(command, async (context, _, cancellation) =>
        {
            using HttpResponseMessage response = await context.Client.Send(HttpMethod.Post, "/v1/stop", null, cancellation);
            string socket = HomeFolder.ControlSocket(context.Home);
            while (File.Exists(socket))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), cancellation);
            }

            context.Say("The daemon has stopped.");
            return ExitCode.Ok;
        });
        return command;
    }

    /// <summary>Leaves the pool.</summary>
    public static Command CreateLeave()
    {
        Option<bool> force = new("--force") { Description = "Do not wait for the copies to move: the others remake what they can." };
        Command command = new("leave", "Leave the pool: hand every copy on, then withdraw.") { force };
        CommandContext.Attach(command, (context, parsed, cancellation) => ProgressStream.Follow(
            context,
            context.Client.Stream(HttpMethod.Post, "/v1/leave" + (parsed.GetValue(force) ? "?force=true" : string.Empty), ControlJson.Default.ProgressLine, cancellation),
            null,
            cancellation));
        return command;
    }

    private static async Task<int> Enter(
        CommandContext context, ParseResult parsed, Func<NodeWorld, Task<Result<JoinedPool, ControlError>>> enter)
    {
        HomeConfig config = NewConfig(context, parsed);
        await using NodeWorld world = NodeWorld.Open(context.Home, config, null, makeKeys: true);
        JoinedPool joined = Must(await world.Loop.Call(() => enter(world)));
        Keep(context.Home, config, world);
        if (context.Json)
        {
            await context.Output.WriteLineAsync(JsonSerializer.Serialize(joined, ControlJson.Default.JoinedPool));
        }

        context.Say($"This machine is in the pool {joined.Pool.Short}, let in by {joined.InviterName}; it now has {joined.Members} members.");
        context.Say("Next: cairn up --detach; cairn mount VOLUME DIR");
        return ExitCode.Ok;
    }

    private static HomeConfig NewConfig(CommandContext context, ParseResult parsed)
    {
        if (HomeFolder.IsInitialized(context.Home))
        {
            throw new CommandException($"{context.Home} belongs to a pool already; name another home with --home");
        }

        HomeConfig config = new();
        return config with
        {
            SpaceBytes = parsed.GetValue(Space) ?? config.SpaceBytes,
            Name = parsed.GetValue(Name) ?? config.Name,
            Listen = parsed.GetValue(Listen) ?? config.Listen,
            Zone = parsed.GetValue(Zone) ?? config.Zone,
        };
    }

    /// <summary>Keeps the settings; a port that the system chose stays, so that the others find this node again.</summary>
    private static void Keep(string home, HomeConfig config, NodeWorld world) =>
        (config with { Listen = world.Ports.Transport.ListenAddress.ToString() }).Save(home);

    private static T Must<T>(Result<T, ControlError> result) =>
        result.TryGet(out T? value, out ControlError error) ? value : throw new CommandException(error.Message);

    private static async Task<int> Detach(CommandContext context, bool quietNetwork, string? passphraseFile, CancellationToken cancellation)
    {
        HomeConfig.Load(context.Home);
        string log = HomeFolder.Log(context.Home);
        List<string> arguments = ["up"];
        if (quietNetwork)
        {
            arguments.Add("--no-announce");
        }

        if (passphraseFile is not null)
        {
            arguments.AddRange(["--passphrase-file", passphraseFile]);
        }

        ProcessStartInfo inner = CairnProcess.StartInfo(context.Home, arguments);
        ProcessStartInfo start = new("setsid") { UseShellExecute = false };
        start.ArgumentList.Add("sh");
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add("log=$1; shift; exec \"$@\" >>\"$log\" 2>&1 </dev/null");
        start.ArgumentList.Add("cairn");
        start.ArgumentList.Add(log);
        start.ArgumentList.Add(inner.FileName);
        foreach (string argument in inner.ArgumentList)
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment["CAIRN_HOME"] = context.Home;
        using Process daemon = Process.Start(start) ?? throw new CommandException("the daemon did not start");
        while (!await ControlClient.Answers(HomeFolder.ControlSocket(context.Home), cancellation))
        {
            if (daemon.HasExited)
            {
                string tail = File.Exists(log) ? string.Join('\n', File.ReadLines(log).TakeLast(5)) : string.Empty;
                throw new CommandException($"the daemon ended at once; its log is {log}\n{tail}");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(50), cancellation);
        }

        context.Say($"The daemon runs (process {daemon.Id}); its log is {log}.");
        return ExitCode.Ok;
    }
}
