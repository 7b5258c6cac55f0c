using Cairn.Simulation.Disks;
using Cairn.Storage.Journaling;
using Cairn.Storage.Tests.Packs;
using static Cairn.Storage.Tests.Journaling.JournalRecords;

namespace Cairn.Storage.Tests.Journaling;

/// <summary>Segments whose files held others before.</summary>
public sealed class UsedAgainTests
{
    private const int Page = 4096;

    private readonly HashSet<(string Path, long Page)> _cached = [];
    private int _readFirst;

    /// <summary>
    /// A page of a file that has left the system's cache must be read before a part of it is written. On a machine that did something
    /// else meanwhile that was a trip to the disk for every small file, while its program waited.
    /// </summary>
    [Fact]
    public void Small_records_never_wait_for_an_older_segments_pages()
    {
        HookedDisk disk = new(new SimulatedDisk());
        using Journal journal = Open(disk);
        FillAndRelease(journal, 40);
        disk.Writing = NotePages;

        FillAndRelease(journal, 400);

        // The page that was being written when the cache was emptied, and once for each file the wiping of its old name, for which
        // nobody waits: eight files at most.
        Assert.InRange(_readFirst, 0, 9);
    }

    [Fact]
    public void Large_records_never_do_either()
    {
        HookedDisk disk = new(new SimulatedDisk());
        using Journal journal = Open(disk);
        FillAndRelease(journal, 40);
        disk.Writing = NotePages;
        for (int i = 0; i < 50; i++)
        {
            journal.Release(Append(journal, i, 20_000, JournalKind.Extent));
        }

        Assert.InRange(_readFirst, 0, 9);
    }

    /// <summary>Two records share the page between them, and the second may be written first.</summary>
    [Fact]
    public void Appends_from_many_threads_are_all_there_after_a_kill()
    {
        SimulatedDisk disk = new();
        Journal journal = Open(disk, Small with { SegmentsMax = 64, SegmentsKept = 64 });
        List<JournalPosition> filled = [];
        for (int i = 0; i < 600; i++)
        {
            filled.Add(Append(journal, i, 5000, JournalKind.Extent));
        }

        filled.ForEach(position => journal.Release(position));
        AppendFromThreads(journal, 1000, 200, i => 100 * (1 + (i % 50)), JournalKind.Extent);
        disk.Crash(CrashKind.ProcessKilled, 1);
        (List<int> ids, JournalReplayReport report) =
            Replay(disk, Small with { SegmentsMax = 64 }, JournalKind.Extent);
        Assert.Empty(report.Damage);
        Assert.Equal(Enumerable.Range(1000, 800), ids.Where(id => id >= 1000).Order());
    }

    /// <summary>Counts a write of a part of a page that was not written since the cache was emptied.</summary>
    private void NotePages(string path, long offset, int length)
    {
        for (long page = offset / Page; page * Page < offset + length; page++)
        {
            bool isWhole = page * Page >= offset && (page + 1) * Page <= offset + length;
            if (_cached.Add((path, page)) && !isWhole)
            {
                _readFirst++;
            }
        }
    }

    private static void FillAndRelease(Journal journal, int records)
    {
        for (int i = 0; i < records; i++)
        {
            journal.Release(Append(journal, i, 4200, JournalKind.Extent));
        }
    }
}
