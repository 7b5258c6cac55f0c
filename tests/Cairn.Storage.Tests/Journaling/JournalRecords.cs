using System.Buffers.Binary;
using Cairn.Core.Primitives;
using Cairn.Simulation.Disks;
using Cairn.Storage.Journaling;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Tests.Journaling;

/// <summary>Numbered records of a small journal: a record's bytes follow from its number, so that reading it back checks it.</summary>
internal static class JournalRecords
{
    public static readonly JournalOptions Small =
        new() { SegmentBytes = 64 << 10, SegmentsMax = 8, SegmentsKept = 8, SegmentsReady = 1 };

    /// <summary>A journal that takes records.</summary>
    /// <param name="disk">Where.</param>
    /// <param name="options">Null for a small one.</param>
    /// <param name="background">As of <see cref="Journal.Open"/>.</param>
    public static Journal Open(IDisk disk, JournalOptions? options = null, Action<Action>? background = null)
    {
        Journal journal = Journal.Open(disk, options ?? Small, background).Value;
        Assert.True(journal.Replay((_, _, _, _) => true).IsOk);
        return journal;
    }

    public static JournalPosition Append(
        Journal journal, int id, int length, JournalKind kind = JournalKind.Operation) =>
        TryAppend(journal, id, length, kind).Value;

    /// <summary>For a journal that may be full, or on a disk that may be dead.</summary>
    public static Result<JournalPosition, StoreError> TryAppend(
        Journal journal, int id, int length, JournalKind kind = JournalKind.Operation)
    {
        byte[] head = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(head, id);
        return journal.Append(kind, head, Payload(id, length));
    }

    /// <summary>Four threads append as many records each as they are given; thread t begins with number first + t * each.</summary>
    public static void AppendFromThreads(Journal journal, int first, int each, Func<int, int> length, JournalKind kind)
    {
        Thread[] threads = new Thread[4];
        for (int t = 0; t < threads.Length; t++)
        {
            int start = first + (t * each);
            threads[t] = new Thread(() =>
            {
                for (int i = 0; i < each; i++)
                {
                    Append(journal, start + i, length(i), kind);
                }
            });
            threads[t].Start();
        }

        Array.ForEach(threads, thread => thread.Join());
    }

    public static byte[] Payload(int id, int length)
    {
        byte[] payload = new byte[length];
        new Prng((ulong)id).Fill(payload);
        return payload;
    }

    /// <summary>What a disk's journal holds; every record must be of the kind that was appended, and whole.</summary>
    public static (List<int> Ids, JournalReplayReport Report) Replay(
        SimulatedDisk disk, JournalOptions? options = null, JournalKind appended = JournalKind.Operation)
    {
        List<int> ids = [];
        using Journal journal = Journal.Open(disk, options ?? Small).Value;
        JournalReplayReport report = journal.Replay((_, kind, head, payload) =>
        {
            int id = BinaryPrimitives.ReadInt32LittleEndian(head);
            Assert.Equal(appended, kind);
            Assert.Equal(Payload(id, payload.Length), payload.ToArray());
            ids.Add(id);
            return true;
        }).Value;
        return (ids, report);
    }
}
