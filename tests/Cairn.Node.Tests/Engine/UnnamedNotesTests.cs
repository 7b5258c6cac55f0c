using Cairn.Core.Primitives;
using Cairn.Node.Logs;
using Cairn.Node.Logs.Recovery;
using Cairn.Node.WritePath;
using Cairn.Simulation;
using Cairn.Simulation.Disks;
using Cairn.Storage.Journaling;

namespace Cairn.Node.Tests.Engine;

/// <summary>Notes of chunks that no version names (<see cref="UnnamedChunks"/>), while nobody can settle what becomes of them.</summary>
public sealed class UnnamedNotesTests : IDisposable
{
    private static readonly VolumeId Volume = new(new Bytes16(new byte[Bytes16.Size]));
    private static readonly JournalOptions Small = new() { SegmentBytes = 64 << 10, SegmentsMax = 8, SegmentsKept = 8 };

    private readonly SimulatedDisk _disk = new();
    private readonly SimulatedEntropy _entropy = new(1);
    private Journal _journal = null!;
    private JournalWriter _writer = null!;
    private UnnamedChunks _unnamed = null!;

    /// <summary>Each start begins a segment: after six of them nothing could be written any more.</summary>
    [Fact]
    public void Starts_one_after_another_leave_the_journal_its_room()
    {
        for (int run = 0; run < 20; run++)
        {
            Start();
            Assert.True(_journal.HasRoom, $"run {run}");
            Assert.True(_unnamed.Note(Chunk(run)).Value);
            Renew();
            _disk.Crash(CrashKind.ProcessKilled, (ulong)run);
        }

        Start();
        Assert.Equal(Enumerable.Range(0, 20).Select(Chunk).Order(), _unnamed.All);
    }

    [Fact]
    public void What_is_written_after_a_note_does_not_fill_the_journal()
    {
        Start();
        Assert.True(_unnamed.Note(Chunk(1)).Value);
        JournalEntry extent = new() { Type = JournalEntryType.Extent, Length = 50_000 };
        for (int i = 0; i < 40; i++)
        {
            Assert.True(_journal.HasRoom);
            _journal.Release(_writer.Append(extent, new byte[50_000], out _).Value);
            Renew();
        }

        _disk.Crash(CrashKind.ProcessKilled, 1);
        Start();
        Assert.Equal([Chunk(1)], _unnamed.All);
    }

    public void Dispose() => _journal.Dispose();

    private void Start()
    {
        _journal = Journal.Open(_disk, Small).Value;
        RecoveredJournal recovered = RecoveredJournal.Replay(_journal).Value;
        _writer = new JournalWriter(_journal, new JournalCipher(new byte[32], _entropy), Volume);
        _unnamed = new UnnamedChunks(_writer);
        foreach (RecoveredRecord other in _unnamed.Restore(recovered.Take(Volume)))
        {
            _journal.Release(other.Position);
        }
    }

    private void Renew()
    {
        IReadOnlyList<JournalPosition> old = _unnamed.Renew();
        Assert.True(_journal.Commit().IsOk);
        foreach (JournalPosition position in old)
        {
            _journal.Release(position);
        }
    }

    private static ChunkAddress Chunk(int number)
    {
        byte[] bytes = new byte[ChunkAddress.Size];
        bytes[0] = (byte)number;
        return new ChunkAddress(bytes);
    }
}
