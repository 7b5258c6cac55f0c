using System.Text;
using Cairn.Core.Primitives;
using Cairn.Node.Volumes;

namespace Cairn.Simulation.Campaigns;

/// <summary>A user of one node's volume, who does random things and tells the oracle what was promised.</summary>
/// <remarks>
/// What a client shows the oracle is read in the same turn as the change is asked for: nothing can come between.
/// Thread: its process.
/// </remarks>
internal sealed class Client : Actor
{
    private const int DirectoryCount = 4;

    private readonly Oracle _oracle;
    private readonly byte[] _buffer = new byte[256 * 1024];

    public Client(SimulatedMachine machine, Oracle oracle, WorkloadCounters counters, TimeSpan thinkTime, ulong seed)
        : base(machine, counters, thinkTime, seed) => _oracle = oracle;

    /// <inheritdoc/>
    protected override Task Step() => Random.Next(100) switch
    {
        < 45 => EditFile(),
        < 60 => SaveByRename(),
        < 72 => ReadFile(),
        < 80 => Remove(),
        < 88 => Rename(),
        < 94 => MakeDirectory(),
        < 97 => RemoveDirectory(),
        _ => Link(),
    };

    /// <summary>Opens a file, writes, cuts and syncs it a few times with pauses, and closes it.</summary>
    private async Task EditFile()
    {
        ReadOnlyMemory<byte> name = RandomFileName();
        if (await RandomDirectory() is not { } parent)
        {
            return;
        }

        Result<OpenedFile, VolumeError> opened = await Volume.Create(
            parent, name, 0x1A4, OpenIntent.Read | OpenIntent.Write, Caller.Daemon);
        if (!Count(opened).TryGet(out OpenedFile file, out _))
        {
            return;
        }

        FileSession session = new(Volume, _oracle, Counters, Machine.Number, name, file, _buffer);
        for (int steps = 1 + Random.Next(4); steps > 0; steps--)
        {
            int kind = Random.Next(10);
            if (kind < 7)
            {
                (int first, int count) = RandomRange(session.CellBytes);
                await session.Write(first, count);
            }
            else if (kind < 8)
            {
                await session.Truncate(Random.Next(16));
            }

            if (Random.Chance(3))
            {
                await session.Sync();
            }

            if (Random.Chance(4))
            {
                await Pause(TimeSpan.FromSeconds(5));
            }
        }

        await session.Close();
    }

    /// <summary>As editors do: a new file is written, synced and renamed over the old one.</summary>
    private async Task SaveByRename()
    {
        string name = Text(RandomFileName());
        ReadOnlyMemory<byte> temporary = Bytes(FormattableString.Invariant($"{name}~{Machine.Number}"));
        if (await RandomDirectory() is not { } parent)
        {
            return;
        }

        Result<OpenedFile, VolumeError> opened = await Volume.Create(
            parent, temporary, 0x1A4, OpenIntent.Read | OpenIntent.Write | OpenIntent.Exclusive, Caller.Daemon);
        if (!Count(opened).TryGet(out OpenedFile file, out _))
        {
            return;
        }

        FileSession session = new(Volume, _oracle, Counters, Machine.Number, temporary, file, _buffer);
        (int _, int count) = RandomRange(session.CellBytes);
        await session.Write(0, count);
        await session.Sync();
        await session.Close();
        await RenameOver(parent, temporary, parent, Bytes(name));
    }

    private async Task ReadFile()
    {
        if (await RandomDirectory() is not { } parent || await RandomEntry(parent) is not { } entry
            || entry.Attributes.Kind != ObjectKind.File)
        {
            return;
        }

        InodeNumber inode = entry.Attributes.Inode;
        Result<OpenedFile, VolumeError> opened = await Volume.Open(inode, OpenIntent.Read, Caller.Daemon);
        if (Count(opened).TryGet(out OpenedFile file, out _))
        {
            FileSession session = new(Volume, _oracle, Counters, Machine.Number, entry.Name, file, _buffer);
            await session.ReadAll();
            await session.Close();
        }
    }

    private async Task Remove()
    {
        if (await RandomDirectory() is not { } parent || await RandomEntry(parent) is not { } entry
            || entry.Attributes.Kind == ObjectKind.Directory)
        {
            return;
        }

        await WhileSeen(parent, entry.Name, () => Volume.Unlink(parent, entry.Name, Caller.Daemon));
    }

    private async Task Rename()
    {
        if (await RandomDirectory() is not { } from || await RandomDirectory() is not { } to
            || await RandomEntry(from) is not { } entry)
        {
            return;
        }

        ReadOnlyMemory<byte> target = entry.Attributes.Kind == ObjectKind.Directory
            ? Bytes(FormattableString.Invariant($"d{Random.Next(DirectoryCount * 2)}"))
            : Bytes(FormattableString.Invariant($"{(char)entry.Name.Span[0]}{Random.Next(20)}"));
        if (entry.Attributes.Kind == ObjectKind.Directory)
        {
            Count(await Volume.Rename(from, entry.Name, to, target, RenameMode.NoReplace, Caller.Daemon));
        }
        else
        {
            await RenameOver(from, entry.Name, to, target);
        }
    }

    private Task RenameOver(InodeNumber from, ReadOnlyMemory<byte> name, InodeNumber to, ReadOnlyMemory<byte> target) =>
        WhileSeen(to, target, () => Volume.Rename(from, name, to, target, RenameMode.Replace, Caller.Daemon));

    /// <summary>Reads what a name shows and, in the same turn, does what takes it away.</summary>
    private async Task WhileSeen(
        InodeNumber parent, ReadOnlyMemory<byte> name, Func<ValueTask<Result<Unit, VolumeError>>> remove)
    {
        for (int attempt = 0; attempt < 4; attempt++)
        {
            if (Machine.Hosted is { HasUnpublishedWrites: true })
            {
                await Pause(TimeSpan.FromSeconds(1));
                continue;
            }

            Result<ObjectAttributes, VolumeError> found = await Volume.Lookup(parent, name);
            List<WrittenCell> seen = [];
            OpenedFile? file = null;
            if (found.TryGet(out ObjectAttributes seenNow, out VolumeError error) && seenNow.Kind == ObjectKind.File)
            {
                Result<OpenedFile, VolumeError> opened =
                    await Volume.Open(seenNow.Inode, OpenIntent.Read, Caller.Daemon);
                file = opened.IsOk ? opened.Value : null;
            }
            else if (!found.IsOk && error != VolumeError.NotFound)
            {
                return;
            }

            if (file is { } open)
            {
                FileSession session = new(Volume, _oracle, Counters, Machine.Number, name, open, _buffer);
                if (!session.TrySee(seen, out Task? wait))
                {
                    await wait;
                    await session.Close();
                    continue;
                }
            }

            _oracle.Removing(seen);
            Result<Unit, VolumeError> removed = await remove();
            if (!Count(removed).IsOk)
            {
                _oracle.NotRemoved(seen);
            }

            if (file is { } done)
            {
                await Volume.Release(done.Handle);
            }

            return;
        }
    }

    private async Task MakeDirectory()
    {
        if (await RandomDirectory() is { } parent)
        {
            ReadOnlyMemory<byte> name = Bytes(FormattableString.Invariant($"d{Random.Next(DirectoryCount * 2)}"));
            Count(await Volume.MakeDirectory(parent, name, 0x1ED, Caller.Daemon));
        }
    }

    private async Task RemoveDirectory()
    {
        if (await RandomDirectory() is { } parent && await RandomEntry(parent) is { } entry
            && entry.Attributes.Kind == ObjectKind.Directory)
        {
            Count(await Volume.RemoveDirectory(parent, entry.Name, Caller.Daemon));
        }
    }

    private async Task Link()
    {
        if (await RandomDirectory() is { } from && await RandomDirectory() is { } to
            && await RandomEntry(from) is { } entry && entry.Attributes.Kind == ObjectKind.File)
        {
            char kind = (char)entry.Name.Span[0];
            ReadOnlyMemory<byte> name = Bytes(FormattableString.Invariant($"{kind}{20 + Random.Next(5)}"));
            Count(await Volume.Link(entry.Attributes.Inode, to, name, Caller.Daemon));
        }
    }

    /// <summary>One of a few directories, made when it is not there; most things happen near the root.</summary>
    private async Task<InodeNumber?> RandomDirectory()
    {
        InodeNumber directory = InodeNumber.Root;
        for (int depth = Random.Next(3); depth > 0; depth--)
        {
            ReadOnlyMemory<byte> name = Bytes(FormattableString.Invariant($"d{Random.Next(DirectoryCount)}"));
            Result<ObjectAttributes, VolumeError> found = await Volume.Lookup(directory, name);
            found = found.IsOk ? found : await Volume.MakeDirectory(directory, name, 0x1ED, Caller.Daemon);
            if (!found.TryGet(out ObjectAttributes attributes, out _) || attributes.Kind != ObjectKind.Directory)
            {
                return null;
            }

            directory = attributes.Inode;
        }

        return directory;
    }

    private async Task<DirectoryEntry?> RandomEntry(InodeNumber directory)
    {
        Result<IReadOnlyList<DirectoryEntry>, VolumeError> listed = await Volume.ReadDirectory(directory, 0, 1000);
        DirectoryEntry[] entries = Count(listed).TryGet(out IReadOnlyList<DirectoryEntry>? all, out _)
            ? [.. all.Where(static entry => !Cell.IsEcho(entry.Name.Span))]
            : [];
        return entries.Length > 0 ? entries[Random.Next(entries.Length)] : null;
    }

    private ReadOnlyMemory<byte> RandomFileName() => Random.Next(100) switch
    {
        < 40 => Bytes(FormattableString.Invariant($"s{Random.Next(20)}")),
        < 97 => Bytes(FormattableString.Invariant($"f{Random.Next(20)}")),
        _ => Bytes(FormattableString.Invariant($"b{Random.Next(3)}")),
    };

    private (int First, int Count) RandomRange(int cellBytes)
    {
        int first = Random.Next(24);
        int most = cellBytes > 1024 ? 14 : 8;
        return (first, 1 + Random.Next(most));
    }

    private static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static string Text(ReadOnlyMemory<byte> bytes) => Encoding.UTF8.GetString(bytes.Span);
}
