using Cairn.Storage.Ports;

namespace Cairn.Simulation.Disks;

/// <summary>What was asked of a simulated disk.</summary>
public enum DiskOperation
{
    /// <summary>Opening or creating a file.</summary>
    Open,

    /// <summary>Deleting a file.</summary>
    Delete,

    /// <summary>Renaming a file.</summary>
    Rename,

    /// <summary>Listing a folder.</summary>
    List,

    /// <summary>Making a folder.</summary>
    CreateDirectory,

    /// <summary>Reading.</summary>
    Read,

    /// <summary>Writing, and changing lengths.</summary>
    Write,

    /// <summary>Syncing a file or folder.</summary>
    Sync,
}

/// <summary>What goes wrong on a simulated disk. Set by tests and the simulator's fault plan.</summary>
public sealed class DiskFaults
{
    /// <summary>Operations asked for since the start, reads included.</summary>
    public long OperationCount { get; private set; }

    /// <summary>Operations that change something (all but reads, lists and opens of what exists), since the start.</summary>
    public long ChangeCount { get; private set; }

    /// <summary>The machine dies at this change (by <see cref="ChangeCount"/>): a write is done in part, nothing after it at all.</summary>
    public long? DieAtChange { get; set; }

    /// <summary>Whether the machine has died: everything fails until the next crash call begins a new life.</summary>
    public bool IsDead { get; private set; }

    /// <summary>When set, asked before each operation; an error makes the operation fail so, without effect.</summary>
    public Func<string, DiskOperation, DiskErrorKind?>? Fail { get; set; }

    /// <summary>Whether syncs answer without doing anything: a disk that breaks its promise.</summary>
    public bool SyncLies { get; set; }

    /// <summary>Everything works again.</summary>
    public void Clear()
    {
        DieAtChange = null;
        IsDead = false;
        Fail = null;
    }

    /// <summary>Counts an operation and says whether it fails. <paramref name="dying"/> is true for the change that dies halfway.</summary>
    internal DiskError? Next(string path, DiskOperation operation, out bool dying)
    {
        dying = false;
        OperationCount++;
        if (IsDead)
        {
            return new DiskError(DiskErrorKind.InputOutput, path, "the machine is down");
        }

        if (operation is not (DiskOperation.Read or DiskOperation.List))
        {
            ChangeCount++;
            if (ChangeCount == DieAtChange)
            {
                IsDead = true;
                dying = true;
                return new DiskError(DiskErrorKind.InputOutput, path, "the machine went down");
            }
        }

        return Fail?.Invoke(path, operation) is { } kind ? new DiskError(kind, path, "an injected fault") : null;
    }

    internal DiskError? Next(string path, DiskOperation operation) => Next(path, operation, out _);
}
