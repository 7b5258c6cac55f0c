using System.CommandLine;
using Cairn.Cli.Daemon;
using Cairn.Cli.Output;
using Cairn.Core.Primitives;
using Cairn.Core.Text;
using Cairn.Io.Host;
using Cairn.Node.Control;

namespace Cairn.Cli.Commands;

/// <summary>A home in the making: what <c>init</c>, <c>join</c> and <c>recover</c> have in common.</summary>
public static class NewNode
{
    private static readonly Option<long?> Space =
        GlobalOptions.Size("--space", "What this machine gives, such as 50GiB. Default: 10GiB.");

    private static readonly Option<string?> Name = new("--name")
    {
        Description = "This machine's name in the pool. Default: its host name.",
        HelpName = "NAME",
    };

    private static readonly Option<string?> Listen = new("--listen")
    {
        Description = "Address, and port if it is not 7866. Default: 0.0.0.0:7866; port 0 lets the system choose.",
        HelpName = "ADDRESS:PORT",
    };

    private static readonly Option<string?> Zone = new("--zone")
    {
        Description = "Where the machine stands; copies are spread over zones.",
        HelpName = "ZONE",
    };

    /// <summary>What may be said about the new machine.</summary>
    public static IReadOnlyList<Option> Options { get; } = [Space, Name, Listen, Zone];

    /// <summary>Makes the keys, opens the world, enters the pool, and only then keeps the settings.</summary>
    /// <param name="context">The command.</param>
    /// <param name="parsed">What was said.</param>
    /// <param name="enter">Founds, joins or recovers; called on the engine's loop.</param>
    /// <exception cref="CommandException">The home belongs to a pool already, or the pool does not let this machine in.</exception>
    public static async Task<(T Entered, HomeConfig Config)> Make<T>(
        CommandContext context, ParseResult parsed, Func<NodeWorld, Task<Result<T, ControlError>>> enter)
    {
        RefuseUsed(context.Home);
        PrivateFolder.KeepAllPrivate();
        HomeConfig config = new();
        config = config with
        {
            SpaceBytes = parsed.GetValue(Space) ?? config.SpaceBytes,
            Name = parsed.GetValue(Name) ?? config.Name,
            Listen = parsed.GetValue(Listen) ?? config.Listen,
            Zone = parsed.GetValue(Zone) ?? config.Zone,
        };
        if (!GivenName.IsValid(config.Name))
        {
            throw new CommandException("A machine's name " + GivenName.Rule) { Exit = ExitCode.Usage };
        }

        CheckSaid(config);
        NewHome made = new(context.Home);
        (Result<T, ControlError> entered, string listen) = await Enter(context.Home, config, made, enter);
        if (!entered.TryGet(out T? value, out ControlError error))
        {
            // A disk that failed did so, perhaps, after the pool had let this machine in.
            made.TakeBack(keepsKeys: error.Kind is ControlErrorKind.Unanswered or ControlErrorKind.Storage);
            throw new CommandException(error.Message)
            {
                Exit = error.Kind == ControlErrorKind.InvalidArgument ? ExitCode.Usage : ExitCode.Failed,
            };
        }

        // A port that the system chose stays, so that the others find this node again.
        config = config with { Listen = listen };
        config.Save(context.Home);
        return (value, config);
    }

    private static async Task<(Result<T, ControlError> Entered, string Listen)> Enter<T>(
        string home, HomeConfig config, NewHome made, Func<NodeWorld, Task<Result<T, ControlError>>> enter)
    {
        NodeWorld world;
        try
        {
            world = NodeWorld.Open(home, config, NodeKeys.LoadOrMake(home));
        }
        catch
        {
            made.TakeBack(keepsKeys: false);
            throw;
        }

        await using (world)
        {
            return (await world.Loop.Call(() => enter(world)), world.Ports.Transport.ListenAddress.ToString());
        }
    }

    /// <summary>The same words are wrong in the settings of a daemon that starts; here somebody typed them.</summary>
    private static void CheckSaid(HomeConfig config)
    {
        try
        {
            NodeWorld.Check(config);
        }
        catch (CommandException wrong)
        {
            throw new CommandException(wrong.Message, wrong) { Exit = ExitCode.Usage };
        }
    }

    /// <summary>A home is of one pool.</summary>
    /// <exception cref="CommandException">This one has a pool.</exception>
    public static void RefuseUsed(string home)
    {
        if (HomeFolder.IsInitialized(home))
        {
            throw new CommandException($"{home} belongs to a pool already; name another home with --home");
        }
    }
}
