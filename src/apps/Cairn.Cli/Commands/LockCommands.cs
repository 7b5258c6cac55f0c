using System.CommandLine;
using Cairn.Cli.Daemon;
using Cairn.Cli.Output;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn lock</c> seals a node's keys with a passphrase; <c>cairn unlock</c> gives the passphrase back.</summary>
public static class LockCommands
{
    private static readonly Option<string?> PassphraseFile = new("--passphrase-file")
    {
        Description = "Where the passphrase is (its first line); - is standard input. Default: it is asked for.",
        HelpName = "FILE",
    };

    /// <summary>Seals.</summary>
    public static Command CreateLock()
    {
        Command command = new ManualCommand(
            "lock",
            "Seal this node's keys with a passphrase: a stolen disk is of no use without it.",
            "From then on a daemon that starts needs the passphrase. A daemon that runs keeps its keys in memory until "
            + "it stops. There is no way back without the passphrase: a node whose passphrase is lost joins the pool "
            + "again as a new one.",
            "cairn lock",
            "cairn lock --passphrase-file passphrase.txt") { PassphraseFile };
        CommandContext.Attach(command, (context, parsed, _) =>
        {
            HomeConfig.Load(context.Home);
            if (NodeKeys.IsSealed(context.Home))
            {
                throw new CommandException("this node's keys are sealed already; to change the passphrase: "
                    + "cairn unlock --permanent, then cairn lock");
            }

            NodeKeys.Seal(context.Home, Prompt.NewPassphrase(parsed.GetValue(PassphraseFile)));
            context.Say("The keys are sealed with the passphrase.");
            context.Say(HomeLock.IsTaken(context.Home)
                ? "The daemon that runs keeps them in memory until it stops: 'cairn down' locks the node now."
                : "'cairn up' asks for it from now on.");
            return Task.FromResult(ExitCode.Ok);
        });
        return command;
    }

    /// <summary>Opens.</summary>
    public static Command CreateUnlock()
    {
        Option<bool> permanent = new("--permanent")
        {
            Description = "Take the seal off: the node starts without a passphrase again.",
        };
        Command command = new ManualCommand(
            "unlock",
            "Give a locked node its passphrase.",
            "A daemon that was started without the passphrase waits for this command. The keys on the disk stay "
            + "sealed, unless --permanent takes the seal off.",
            "cairn unlock",
            "cairn unlock --permanent",
            "cairn unlock --passphrase-file - < passphrase.txt") { permanent, PassphraseFile };
        CommandContext.Attach(command, (context, parsed, cancellation) =>
            Unlock(context, parsed.GetValue(permanent), parsed.GetValue(PassphraseFile), cancellation));
        return command;
    }

    private static async Task<int> Unlock(
        CommandContext context, bool isPermanent, string? passphraseFile, CancellationToken cancellation)
    {
        HomeConfig.Load(context.Home);
        if (!NodeKeys.IsSealed(context.Home))
        {
            context.Say("This node's keys are not sealed: there is nothing to unlock.");
            return ExitCode.Ok;
        }

        bool runs = HomeLock.IsTaken(context.Home);
        if (!isPermanent && !runs)
        {
            throw new CommandException("no daemon waits for the passphrase: 'cairn up' starts one and asks for it, "
                + "'cairn unlock --permanent' takes the seal off")
            {
                Exit = ExitCode.NoDaemon,
            };
        }

        string passphrase = Prompt.Passphrase("Passphrase", passphraseFile);
        if (isPermanent)
        {
            NodeKeys.RemoveSeal(context.Home, passphrase);
            context.Say("The seal is off: this node starts without a passphrase.");
        }

        if (runs)
        {
            await UnlockRequest.Send(context, passphrase, cancellation);
            context.Say("The node is open.");
        }

        return ExitCode.Ok;
    }
}
