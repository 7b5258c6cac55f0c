using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Cairn.Core.Primitives;
using Cairn.Node.Snapshots;
using Cairn.Node.Volumes;

namespace Cairn.Simulation.Campaigns;

/// <summary>Everything one node's volume shows: every name, attribute and byte, read as a door reads.</summary>
public sealed class TreeSnapshot
{
    private const int EntriesPerStep = 512;

    private const int BufferBytes = 1 << 20;

    private const uint WriteBits = 0x92;   // 0222

    private readonly IVolume _volume;
    private readonly bool _isAsKept;
    private readonly StringBuilder _listing = new();
    private readonly HashSet<WrittenCell> _cells = [];
    private readonly List<string> _problems = [];
    private readonly SortedSet<string> _lacking = new(StringComparer.Ordinal);
    private byte[] _buffer = [];

    private TreeSnapshot(IVolume volume, bool isAsKept = false) => (_volume, _isAsKept) = (volume, isAsKept);

    /// <summary>One line an entry, in the order of names: equal texts are equal trees.</summary>
    public string Listing => _listing.ToString();

    /// <summary>Every cell of every file.</summary>
    public IReadOnlySet<WrittenCell> Cells => _cells;

    /// <summary>What could not be read, or was damaged.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>Files with parts that no machine gave; their other parts were read.</summary>
    public IReadOnlyCollection<string> Lacking => _lacking;

    /// <summary>Entries that show a conflict.</summary>
    public int Conflicts { get; private set; }

    /// <summary>Files.</summary>
    public int Files { get; private set; }

    /// <summary>Reads a volume.</summary>
    /// <param name="volume">The volume.</param>
    /// <param name="isAsKept">Whether it is to be listed as a snapshot of it would be, which nobody can write to.</param>
    public static async Task<TreeSnapshot> Of(IVolume volume, bool isAsKept = false)
    {
        TreeSnapshot snapshot = new(volume, isAsKept);
        await snapshot.AddAll(InodeNumber.Root);
        return snapshot;
    }

    /// <summary>Reads a snapshot of a volume.</summary>
    public static async Task<TreeSnapshot> OfPast(IVolume volume, string name)
    {
        TreeSnapshot snapshot = new(volume);
        InodeNumber at = InodeNumber.Root;
        foreach (string step in (string[])[SnapshotsVolume.FolderName, name])
        {
            Result<ObjectAttributes, VolumeError> found = await volume.Lookup(at, Encoding.UTF8.GetBytes(step));
            if (!found.TryGet(out ObjectAttributes folder, out VolumeError error))
            {
                snapshot._problems.Add($"{step}: {error}");
                return snapshot;
            }

            at = folder.Inode;
        }

        await snapshot.AddAll(at);
        return snapshot;
    }

    private async Task AddAll(InodeNumber top)
    {
        _buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        await AddDirectory(top, string.Empty);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    private async Task AddDirectory(InodeNumber directory, string path)
    {
        List<DirectoryEntry> entries = [];
        for (ulong cookie = 0; ;)
        {
            Result<IReadOnlyList<DirectoryEntry>, VolumeError> listed =
                await _volume.ReadDirectory(directory, cookie, EntriesPerStep);
            if (!listed.TryGet(out IReadOnlyList<DirectoryEntry>? part, out VolumeError error))
            {
                _problems.Add($"{path}/: {error}");
                return;
            }

            entries.AddRange(part);
            if (part.Count < EntriesPerStep)
            {
                break;
            }

            cookie = part[^1].Cookie;
        }

        entries.Sort(static (one, other) => one.Name.Span.SequenceCompareTo(other.Name.Span));
        foreach (DirectoryEntry entry in entries)
        {
            await AddEntry(entry, path);
        }
    }

    private async Task AddEntry(DirectoryEntry entry, string parent)
    {
        string name = Encoding.UTF8.GetString(entry.Name.Span);
        string path = $"{parent}/{name}";
        ObjectAttributes found = entry.Attributes;
        Conflicts += name.Contains(" (conflict ", StringComparison.Ordinal) ? 1 : 0;
        uint mode = _isAsKept && found.Kind != ObjectKind.SymbolicLink ? found.Mode & ~WriteBits : found.Mode;
        _listing.Append(path).Append(' ').Append(found.Kind).Append(' ').Append(Convert.ToString(mode, 8));
        if (found.Kind == ObjectKind.Directory)
        {
            _listing.Append('\n');
            await AddDirectory(found.Inode, path);
            return;
        }

        Files++;
        string content = found.Kind == ObjectKind.File ? await ReadFile(found, path, entry.Name) : string.Empty;
        _listing.Append(' ').Append(found.LinkCount).Append(' ').Append(found.SizeBytes).Append(' ')
            .Append(found.Modified).Append(' ').Append(content).Append('\n');
    }

    private async Task<string> ReadFile(ObjectAttributes file, string path, ReadOnlyMemory<byte> name)
    {
        Result<OpenedFile, VolumeError> opened = await _volume.Open(file.Inode, OpenIntent.Read, Caller.Daemon);
        if (!opened.TryGet(out OpenedFile handle, out VolumeError error))
        {
            _problems.Add($"{path} cannot be opened: {error}");
            return "?";
        }

        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        int cellSize = Cell.SizeOf(name.Span);
        int step = BufferBytes;
        for (long offset = 0; offset < file.SizeBytes;)
        {
            Result<int, VolumeError> read = await _volume.Read(handle.Handle, offset, _buffer.AsMemory(0, step));
            bool isLacking = !read.TryGet(out int count, out error) && error == VolumeError.Unreachable && cellSize > 0;
            if (isLacking)
            {
                // From here on cell by cell: what is around the part is there.
                _lacking.Add(path);
                offset += step == cellSize ? cellSize : 0;
                step = cellSize;
                continue;
            }

            if (!read.IsOk || count == 0)
            {
                string why = read.IsOk ? "it ends" : error.ToString();
                _problems.Add($"{path} cannot be read at {offset} of {file.SizeBytes}: {why}");
                break;
            }

            hash.AppendData(_buffer, 0, count);
            AddCells(path, cellSize, offset, _buffer.AsSpan(0, count));
            offset += count;
        }

        await _volume.Release(handle.Handle);
        return Convert.ToHexString(hash.GetHashAndReset(), 0, 8);
    }

    private void AddCells(string path, int cellSize, long offset, ReadOnlySpan<byte> bytes)
    {
        if (cellSize == 0 || bytes.Length % cellSize != 0 || offset % cellSize != 0)
        {
            _problems.Add($"{path} has {offset + bytes.Length} bytes, which no write left so");
            return;
        }

        for (int at = 0; at < bytes.Length; at += cellSize)
        {
            int index = (int)((offset + at) / cellSize);
            CellState state = Cell.Read(bytes.Slice(at, cellSize), index, out ulong write);
            if (state == CellState.Written && !Cell.IsEcho(write))
            {
                _cells.Add(new WrittenCell(write, index));
            }
            else if (state == CellState.Damaged)
            {
                ulong claimed = BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);
                _problems.Add($"{path} is damaged at {offset + at} (write {claimed})");
            }
        }
    }
}
