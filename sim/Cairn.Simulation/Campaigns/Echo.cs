using System.Text;
using Cairn.Core.Primitives;
using Cairn.Core.Rules;
using Cairn.Node.Volumes;

namespace Cairn.Simulation.Campaigns;

/// <summary>Writes one of a few contents, removes it, and writes it again while its chunks are condemned.</summary>
/// <remarks>
/// In a folder that keeps no past, so that what is removed is garbage at once. All nodes write the same bytes: each
/// write would find the others' chunks, and must not count on those that are about to go.
/// </remarks>
internal sealed class Echo : Actor
{
    private const string FolderName = "echo";
    private const int ContentCount = 4;
    private const int CellsPerFile = 12;
    private const int LooksMax = 60;

    private readonly byte[] _buffer = new byte[CellsPerFile * Cell.EchoBytes];

    public Echo(SimulatedMachine machine, WorkloadCounters counters, TimeSpan thinkTime, ulong seed)
        : base(machine, counters, thinkTime, seed)
    {
    }

    /// <summary>Makes the folder.</summary>
    public static async Task<Result<Unit, VolumeError>> Prepare(IVolume volume)
    {
        Result<ObjectAttributes, VolumeError> made =
            await volume.MakeDirectory(InodeNumber.Root, Bytes(FolderName), 0x1ED, Caller.Daemon);
        return made.TryGet(out ObjectAttributes folder, out VolumeError error)
            ? volume.Rules!.Set(folder.Inode, new Rule { Keep = Retention.None })
            : error;
    }

    /// <inheritdoc/>
    protected override async Task Step()
    {
        Result<ObjectAttributes, VolumeError> found = await Volume.Lookup(InodeNumber.Root, Bytes(FolderName));
        if (!found.TryGet(out ObjectAttributes folder, out _))
        {
            return;
        }

        int content = Random.Next(ContentCount);
        await Write(folder.Inode, content);
        if (!Random.Chance(2))
        {
            await RemoveAll(folder.Inode, content);
            for (int look = 0; look < LooksMax && !IsStopping; look++)
            {
                if (Machine.Hosted is { Condemned.IsEmpty: false })
                {
                    await Write(folder.Inode, content);
                    Counters.Did("repeats");
                    return;
                }

                await Pause(TimeSpan.FromSeconds(1));
            }
        }
    }

    private async Task Write(InodeNumber folder, int content)
    {
        for (int cell = 0; cell < CellsPerFile; cell++)
        {
            Cell.FillEcho(_buffer.AsSpan(cell * Cell.EchoBytes, Cell.EchoBytes), content, cell);
        }

        Result<OpenedFile, VolumeError> opened = await Volume.Create(
            folder, NameOf(content), 0x1A4, OpenIntent.Write | OpenIntent.Truncate, Caller.Daemon);
        if (Count(opened).TryGet(out OpenedFile file, out _))
        {
            Count(await Volume.Write(file.Handle, 0, _buffer));
            Count(await Volume.Release(file.Handle));
        }
    }

    /// <summary>Under its name, and under those of conflicts.</summary>
    private async Task RemoveAll(InodeNumber folder, int content)
    {
        Result<IReadOnlyList<DirectoryEntry>, VolumeError> listed = await Volume.ReadDirectory(folder, 0, 1000);
        if (!Count(listed).TryGet(out IReadOnlyList<DirectoryEntry>? entries, out _))
        {
            return;
        }

        foreach (DirectoryEntry entry in entries.Where(entry => entry.Name.Span.StartsWith(NameOf(content).Span)))
        {
            Count(await Volume.Unlink(folder, entry.Name, Caller.Daemon));
        }
    }

    private static ReadOnlyMemory<byte> NameOf(int content) => Bytes(FormattableString.Invariant($"e{content}"));

    private static ReadOnlyMemory<byte> Bytes(string text) => Encoding.UTF8.GetBytes(text);
}
