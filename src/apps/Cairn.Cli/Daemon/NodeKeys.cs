using System.Diagnostics;
using Cairn.Cli.Output;
using Cairn.Core.Primitives;
using Cairn.Io.Disk;
using Cairn.Io.Entropy;
using Cairn.Io.Identity;
using Cairn.Storage.Ports;

namespace Cairn.Cli.Daemon;

/// <summary>The identity key of a home, with failures as sentences for the one who typed the command.</summary>
public static class NodeKeys
{
    /// <summary>Whether a passphrase is needed to run the node.</summary>
    /// <exception cref="CommandException">The key cannot be read.</exception>
    public static bool IsSealed(string home) =>
        Must(home, Store(home).State()) == KeyState.Sealed;

    /// <summary>Seals the open key.</summary>
    /// <exception cref="CommandException">There is none, or it is sealed already.</exception>
    public static void Seal(string home, string passphrase) => Must(home, Store(home).Lock(passphrase));

    /// <summary>Writes the sealed key back open.</summary>
    /// <exception cref="CommandException">It is not sealed, or not with this passphrase.</exception>
    public static void RemoveSeal(string home, string passphrase) => Must(home, Store(home).Unlock(passphrase));

    /// <summary>Reads the key.</summary>
    /// <param name="home">The node's home.</param>
    /// <param name="passphrase">Of a sealed key; ignored when it is open.</param>
    /// <exception cref="CommandException">The key cannot be had; the message says what helps.</exception>
    public static FileIdentity Load(string home, string? passphrase) => Must(home, Store(home).Load(passphrase));

    /// <summary>Reads the key of a home in the making, or makes it: a join that failed is tried again with the same identity.</summary>
    public static FileIdentity LoadOrMake(string home)
    {
        KeyStore keys = Store(home);
        bool isMissing = !keys.State().TryGet(out _, out KeyError error) && error.Kind == KeyErrorKind.Missing;
        return Must(home, isMissing ? keys.Create() : keys.Load());
    }

    private static KeyStore Store(string home) =>
        RealDisk.OpenRoot(HomeFolder.Keys(home)).TryGet(out RealDisk? disk, out DiskError error)
            ? new KeyStore(disk, new SystemEntropy())
            : throw new CommandException(error.ToString());

    private static T Must<T>(string home, Result<T, KeyError> result) =>
        result.TryGet(out T? value, out KeyError error) ? value : throw Explain(home, error);

    private static CommandException Explain(string home, KeyError error) => error.Kind switch
    {
        KeyErrorKind.Missing => new CommandException(
            $"there is no node in {home}: run 'cairn init' or 'cairn join', or name its home with --home"),
        KeyErrorKind.Sealed => new CommandException(
            "Locked: this node's keys are sealed with a passphrase. Run 'cairn unlock'.")
        {
            Exit = ExitCode.Locked,
        },
        KeyErrorKind.WrongPassphrase => new CommandException("the passphrase is not the right one; nothing was changed")
        {
            Exit = ExitCode.Locked,
        },
        KeyErrorKind.NotSealed => new CommandException("this node is not locked: its keys need no passphrase"),
        KeyErrorKind.Exists => new CommandException($"{home} has keys already"),
        KeyErrorKind.Damaged => new CommandException(
            $"the keys in {HomeFolder.Keys(home)} cannot be used: {error.Detail}. Restore them from a backup, "
            + "or join again as a new node."),
        KeyErrorKind.NewerFormat => new CommandException($"{error.Detail}: upgrade Cairn on this machine"),
        KeyErrorKind.Disk => new CommandException(
            $"the keys in {HomeFolder.Keys(home)} cannot be used: {error.Detail}"),
        _ => throw new UnreachableException(),
    };
}
