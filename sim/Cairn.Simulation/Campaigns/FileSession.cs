using System.Diagnostics.CodeAnalysis;
using System.Text;
using Cairn.Core.Primitives;
using Cairn.Node.Volumes;

namespace Cairn.Simulation.Campaigns;

/// <summary>One open file of a client: what it writes there, and what it saw before.</summary>
internal sealed class FileSession
{
    private readonly IVolume _volume;
    private readonly Oracle _oracle;
    private readonly WorkloadCounters _counters;
    private readonly OpenedFile _file;
    private readonly string _name;
    private readonly int _node;
    private readonly byte[] _buffer;
    private readonly List<ulong> _writes = [];

    /// <summary>Takes over a handle.</summary>
    /// <param name="buffer">Scratch of the client, for the largest write.</param>
    public FileSession(
        IVolume volume, Oracle oracle, WorkloadCounters counters, int node, ReadOnlyMemory<byte> name, OpenedFile file,
        byte[] buffer)
    {
        _volume = volume;
        _oracle = oracle;
        _counters = counters;
        _node = node;
        _name = Encoding.UTF8.GetString(name.Span);
        _file = file;
        _buffer = buffer;
        CellBytes = Math.Max(1, Cell.SizeOf(name.Span));
    }

    /// <summary>Bytes of a cell of this file.</summary>
    public int CellBytes { get; }

    /// <summary>Writes cells, having looked at what was there.</summary>
    public async Task Write(int first, int count)
    {
        for (int attempt = 0; attempt < 4; attempt++)
        {
            List<WrittenCell> seen = [];
            if (!TrySee(seen, first, count, out Task? wait))
            {
                await wait;
                continue;
            }

            ulong[] under = new ulong[count];
            foreach (WrittenCell cell in seen)
            {
                under[cell.Index - first] = cell.Write;
            }

            bool isLinked = IsLinked();
            ulong write = _oracle.Begin(_node, _name, first, under);
            Memory<byte> bytes = _buffer.AsMemory(0, count * CellBytes);
            for (int i = 0; i < count; i++)
            {
                Cell.Fill(bytes.Span.Slice(i * CellBytes, CellBytes), write, first + i);
            }

            Result<int, VolumeError> written = await _volume.Write(_file.Handle, (long)first * CellBytes, bytes);
            _counters.Count(written.IsOk);
            if (written.IsOk && isLinked)
            {
                _oracle.Answered(write);
                _writes.Add(write);
            }

            return;
        }
    }

    /// <summary>Cuts the file, having looked at what goes.</summary>
    public async Task Truncate(int cells)
    {
        for (int attempt = 0; attempt < 4; attempt++)
        {
            List<WrittenCell> seen = [];
            if (!TrySee(seen, cells, int.MaxValue, out Task? wait))
            {
                await wait;
                continue;
            }

            _oracle.Removing(seen);
            AttributeChange change = new() { SizeBytes = (long)cells * CellBytes };
            Result<ObjectAttributes, VolumeError> cut = await _volume.SetAttributes(
                _file.Attributes.Inode, change, _file.Handle, Caller.Daemon);
            _counters.Count(cut.IsOk);
            if (!cut.IsOk)
            {
                _oracle.NotRemoved(seen);
            }

            return;
        }
    }

    /// <summary>fsync: what was written through this handle survives power loss.</summary>
    public async Task Sync()
    {
        ulong[] covered = [.. _writes];
        Result<Unit, VolumeError> synced = await _volume.Sync(_file.Handle, dataOnly: false);
        _counters.Count(synced.IsOk);
        if (synced.IsOk)
        {
            foreach (ulong write in covered)
            {
                _oracle.Synced(write);
            }
        }
    }

    /// <summary>Reads everything and looks at every cell.</summary>
    public async Task ReadAll()
    {
        for (int attempt = 0; attempt < 4; attempt++)
        {
            if (TrySee([], out Task? wait))
            {
                _counters.Count(true);
                return;
            }

            await wait;
        }
    }

    /// <summary>Closes the handle.</summary>
    public async Task Close()
    {
        await _volume.Flush(_file.Handle, 0);
        Result<Unit, VolumeError> released = await _volume.Release(_file.Handle);
        _counters.Count(released.IsOk);
    }

    /// <summary>Reads the whole file in this turn; false, with what to wait for, when bytes must come first.</summary>
    public bool TrySee(List<WrittenCell> seen, [NotNullWhen(false)] out Task? wait) =>
        TrySee(seen, 0, int.MaxValue, out wait);

    /// <summary>Whether the file still has a name; what is written to one without goes with its last handle.</summary>
    private bool IsLinked()
    {
        Task<Result<ObjectAttributes, VolumeError>> asked = _volume.GetAttributes(_file.Attributes.Inode).AsTask();
        return asked.IsCompleted && asked.Result.TryGet(out ObjectAttributes now, out _) && now.LinkCount > 0;
    }

    private bool TrySee(
        List<WrittenCell> seen, int first, int count, [NotNullWhen(false)] out Task? wait)
    {
        long offset = (long)first * CellBytes;
        long end = count == int.MaxValue ? long.MaxValue : offset + ((long)count * CellBytes);
        while (offset < end)
        {
            int wanted = (int)Math.Min(_buffer.Length / CellBytes * CellBytes, end - offset);
            Memory<byte> buffer = _buffer.AsMemory(0, wanted);
            Task<Result<int, VolumeError>> reading = _volume.Read(_file.Handle, offset, buffer).AsTask();
            if (!reading.IsCompleted)
            {
                wait = reading;
                return false;
            }

            if (!reading.Result.TryGet(out int got, out _))
            {
                wait = Task.CompletedTask;
                return false;
            }

            if (got == 0)
            {
                break;
            }

            See(seen, offset, _buffer.AsSpan(0, got));
            offset += got;
        }

        wait = null;
        return true;
    }

    private void See(List<WrittenCell> seen, long offset, ReadOnlySpan<byte> bytes)
    {
        for (int at = 0; at < bytes.Length; at += CellBytes)
        {
            int index = (int)((offset + at) / CellBytes);
            ulong write = 0;
            CellState state = at + CellBytes <= bytes.Length
                ? Cell.Read(bytes.Slice(at, CellBytes), index, out write)
                : CellState.Damaged;
            if (state == CellState.Written && _oracle.Knows(new WrittenCell(write, index)))
            {
                seen.Add(new WrittenCell(write, index));
            }
            else if (state != CellState.Hole)
            {
                _counters.Saw($"node{_node} read {_name} at {offset + at}: write {write}, {state}");
            }
        }
    }
}
