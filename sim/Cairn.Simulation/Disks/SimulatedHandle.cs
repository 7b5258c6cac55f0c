using Cairn.Core.Primitives;
using Cairn.Storage.Ports;

namespace Cairn.Simulation.Disks;

/// <summary>An open file of a <see cref="SimulatedDisk"/>; it dies with the life it was opened in.</summary>
internal sealed class SimulatedHandle(SimulatedDisk disk, string path, SimulatedFile file, bool canWrite) : IDiskFile
{
    private readonly int _life = disk.Life;
    private bool _holdsLock;
    private bool _disposed;

    /// <inheritdoc/>
    public string Path { get; } = path;

    /// <inheritdoc/>
    public Result<long, DiskError> Length()
    {
        lock (disk.Gate)
        {
            return Refuse(DiskOperation.Read, out _) is { } fault ? fault : file.Length;
        }
    }

    /// <inheritdoc/>
    public Result<Unit, DiskError> Read(long offset, Span<byte> buffer)
    {
        lock (disk.Gate)
        {
            if (Refuse(DiskOperation.Read, out _) is { } fault)
            {
                return fault;
            }

            if (offset < 0 || offset + buffer.Length > file.Length)
            {
                return new DiskError(DiskErrorKind.EndOfFile, Path, $"{offset}+{buffer.Length} of {file.Length}");
            }

            if (file.IsBroken(offset, buffer.Length))
            {
                return new DiskError(DiskErrorKind.InputOutput, Path, "a bad sector");
            }

            file.Read(offset, buffer);
            return Unit.Value;
        }
    }

    /// <inheritdoc/>
    public Result<Unit, DiskError> Write(long offset, ReadOnlySpan<byte> data) => Write(offset, data, default);

    /// <inheritdoc/>
    public Result<Unit, DiskError> Write(long offset, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        lock (disk.Gate)
        {
            if (Refuse(DiskOperation.Write, out bool dying) is { } fault)
            {
                if (dying)
                {
                    WriteInPart(offset, first, second);
                }

                return fault;
            }

            if (!canWrite)
            {
                return new DiskError(DiskErrorKind.NotPermitted, Path, "opened for reading");
            }

            long newBytes = file.NewSpace(offset, first.Length + (long)second.Length);
            if (newBytes > 0 && newBytes > disk.FreeBytes())
            {
                return new DiskError(DiskErrorKind.NoSpace, Path, "the disk is full");
            }

            if (!file.TryMend(offset, first.Length + (long)second.Length))
            {
                return new DiskError(DiskErrorKind.InputOutput, Path, "a bad sector");
            }

            using SimulatedDisk.SpaceChange change = disk.Changing(file);
            file.Write(offset, first);
            file.Write(offset + first.Length, second);
            return Unit.Value;
        }
    }

    /// <inheritdoc/>
    public Result<Unit, DiskError> Preallocate(long length)
    {
        lock (disk.Gate)
        {
            if (Refuse(DiskOperation.Write, out _) is { } fault)
            {
                return fault;
            }

            if (Math.Max(0, length - file.SpaceBytes) > disk.FreeBytes())
            {
                return new DiskError(DiskErrorKind.NoSpace, Path, "the disk is full");
            }

            using SimulatedDisk.SpaceChange change = disk.Changing(file);
            file.Reserve(length);
            return Unit.Value;
        }
    }

    /// <inheritdoc/>
    public Result<Unit, DiskError> SetLength(long length)
    {
        lock (disk.Gate)
        {
            if (Refuse(DiskOperation.Write, out _) is { } fault)
            {
                return fault;
            }

            using SimulatedDisk.SpaceChange change = disk.Changing(file);
            file.SetLength(length);
            return Unit.Value;
        }
    }

    /// <inheritdoc/>
    public Result<Unit, DiskError> PunchHole(long offset, long length)
    {
        lock (disk.Gate)
        {
            if (Refuse(DiskOperation.Write, out _) is { } fault)
            {
                return fault;
            }

            using SimulatedDisk.SpaceChange change = disk.Changing(file);
            file.Zero(offset, length);
            return Unit.Value;
        }
    }

    /// <inheritdoc/>
    public Result<Unit, DiskError> Sync()
    {
        lock (disk.Gate)
        {
            if (Refuse(DiskOperation.Sync, out _) is { } fault)
            {
                return fault;
            }

            if (!disk.Faults.SyncLies)
            {
                file.Sync();
            }

            return Unit.Value;
        }
    }

    /// <inheritdoc/>
    public Result<Unit, DiskError> TryLock()
    {
        lock (disk.Gate)
        {
            if (Refuse(DiskOperation.Open, out _) is { } fault)
            {
                return fault;
            }

            if (file.IsLocked && !_holdsLock)
            {
                return new DiskError(DiskErrorKind.Locked, Path, "another process has it");
            }

            file.IsLocked = true;
            _holdsLock = true;
            return Unit.Value;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (disk.Gate)
        {
            if (!_disposed && _holdsLock && _life == disk.Life)
            {
                file.IsLocked = false;
            }

            _disposed = true;
        }
    }

    private DiskError? Refuse(DiskOperation operation, out bool dying)
    {
        dying = false;
        Invariant.That(!_disposed, $"{Path} used after it was closed");
        return _life != disk.Life
            ? new DiskError(DiskErrorKind.InputOutput, Path, "opened before the crash")
            : disk.Faults.Next(Path, operation, out dying);
    }

    /// <summary>The write the machine died in: about half of it, cut between sectors, which are written whole.</summary>
    private void WriteInPart(long offset, ReadOnlySpan<byte> first, ReadOnlySpan<byte> second)
    {
        long middle = offset + ((first.Length + second.Length) / 2);
        long cut = middle / SimulatedFile.SectorBytes * SimulatedFile.SectorBytes;
        int count = (int)Math.Max(0, cut - offset);
        using SimulatedDisk.SpaceChange change = disk.Changing(file);
        file.Write(offset, first[..Math.Min(count, first.Length)]);
        file.Write(offset + first.Length, second[..Math.Max(0, count - first.Length)]);
    }
}
