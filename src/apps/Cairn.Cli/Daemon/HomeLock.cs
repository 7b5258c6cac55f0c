using Cairn.Core.Primitives;
using Cairn.Io.Disk;
using Cairn.Storage;
using Cairn.Storage.Home;
using Cairn.Storage.Ports;

namespace Cairn.Cli.Daemon;

/// <summary>The lock that says whether a daemon runs on a home; it ends with the daemon, however that ends.</summary>
public static class HomeLock
{
    /// <summary>Takes the lock, before anything else of the home is touched.</summary>
    /// <exception cref="CommandException">Another daemon has it, or the home is of a newer Cairn.</exception>
    public static HomeLayout Take(string home) =>
        TryTake(home).TryGet(out HomeLayout? held, out StoreError error)
            ? held
            : throw new CommandException(error.Kind == StoreErrorKind.InUse
                ? $"a daemon runs on {home} already: 'cairn status' asks it, 'cairn down' stops it"
                : $"the home {home} cannot be used: {error}");

    /// <summary>Whether a daemon runs on the home.</summary>
    public static bool IsTaken(string home)
    {
        Result<HomeLayout, StoreError> taken = TryTake(home);
        if (taken.IsOk)
        {
            taken.Value.Dispose();
        }

        return !taken.IsOk && taken.Error.Kind == StoreErrorKind.InUse;
    }

    private static Result<HomeLayout, StoreError> TryTake(string home) =>
        RealDisk.OpenRoot(HomeFolder.Store(home)).TryGet(out RealDisk? disk, out DiskError error)
            ? HomeLayout.Open(disk)
            : StoreError.From(error);
}
