using System.Buffers.Binary;
using System.Collections.Immutable;
using System.Text;
using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;

namespace Cairn.Core.Tests.Tree;

/// <summary>One member with its own fold, which makes edits and takes in others' transactions.</summary>
internal sealed class Replica
{
    private readonly Prng _random;
    private long _clock;

    internal Replica(byte number, ulong seed = 1)
    {
        byte[] author = new byte[NodeId.Size];
        author[0] = number;
        Log = new LogId(new NodeId(author), 1);
        _random = new Prng((seed * 1000) + number);
        Fold = new OrderedFold(new MemoryTable(), Applier);
        Queries = new TreeQueries(Fold.Table);
        Edits = new TreeEdits(Queries, Fresh);
        _clock = 1_700_000_000_000_000_000 + (number * 1_000_000_000L);
    }

    internal LogId Log { get; }

    internal TreeApplier Applier { get; } = new();

    internal OrderedFold Fold { get; }

    internal TreeQueries Queries { get; }

    internal TreeEdits Edits { get; }

    /// <summary>Everything this replica wrote.</summary>
    internal List<Transaction> Written { get; } = [];

    internal WallTime Now => new(_clock += 1_000_000_000);

    /// <summary>Lets time go by.</summary>
    internal void Wait(TimeSpan time) => _clock += time.Ticks * TimeSpan.NanosecondsPerTick;

    internal Bytes16 Fresh()
    {
        Span<byte> bytes = stackalloc byte[Bytes16.Size];
        _random.Fill(bytes);
        return new Bytes16(bytes);
    }

    internal TreeError? Do(Result<ImmutableArray<Primitive>, TreeError> edit)
    {
        if (!edit.TryGet(out ImmutableArray<Primitive> primitives, out TreeError error))
        {
            return error;
        }

        if (!primitives.IsEmpty)
        {
            Transaction transaction = Fold.Author(Log, Now, primitives);
            Transaction read = TransactionCodec.Decode(TransactionCodec.Encode(transaction)).Value;
            Fold.ApplyLocal(read);
            Written.Add(read);
        }

        return null;
    }

    internal ObjectId Create(string path, string? content = null)
    {
        (ObjectId parent, byte[] name) = Split(path);
        var id = new ObjectId(Fresh());
        Assert.Null(Do(Edits.CreateFile(
            parent, name, new NewObject(id, 0x1A4, 1, 1, Now), content is null ? null : Content(content))));
        return id;
    }

    internal ObjectId MakeDirectory(string path)
    {
        (ObjectId parent, byte[] name) = Split(path);
        var id = new ObjectId(Fresh());
        Assert.Null(Do(Edits.MakeDirectory(parent, name, new NewObject(id, 0x1ED, 1, 1, Now))));
        return id;
    }

    internal TreeError? Write(string path, string content)
    {
        ObjectView view = Queries.Get(Find(path)!.Value.Object)!;
        return Do(Edits.WriteVersion(view.Id, view.Head is { } head ? [head.Version] : [], Content(content)));
    }

    internal TreeError? Unlink(string path)
    {
        (ObjectId parent, byte[] name) = Split(path);
        return Do(Edits.Unlink(parent, name));
    }

    internal TreeError? RemoveDirectory(string path)
    {
        (ObjectId parent, byte[] name) = Split(path);
        return Do(Edits.RemoveDirectory(parent, name));
    }

    internal TreeError? Rename(string from, string to, TreeRenameMode mode = TreeRenameMode.Replace)
    {
        (ObjectId fromParent, byte[] fromName) = Split(from);
        (ObjectId toParent, byte[] toName) = Split(to);
        return Do(Edits.Rename(fromParent, fromName, toParent, toName, mode));
    }

    internal EntryView? Find(string path)
    {
        (ObjectId parent, byte[] name) = Split(path);
        return Queries.Lookup(parent, name);
    }

    internal string? Read(string path)
    {
        return Find(path) is { } entry ? ContentOf(Queries.Get(entry.Object)!) : null;
    }

    internal static string ContentOf(ObjectView view) =>
        view.Head is { } head ? Encoding.UTF8.GetString(head.Manifest.Span) : string.Empty;

    internal NewVersion Content(string text)
    {
        byte[] manifest = Encoding.UTF8.GetBytes(text);
        return new NewVersion(new VersionId(Fresh()), manifest.Length, manifest.Length, Now, manifest);
    }

    internal (ObjectId Parent, byte[] Name) Split(string path)
    {
        ObjectId at = TreeQueries.Root;
        string[] parts = path.Split('/');
        foreach (string part in parts[..^1])
        {
            EntryView? entry = Queries.Lookup(at, Encoding.UTF8.GetBytes(part));
            Assert.True(entry is not null, $"no {part} of {path}");
            at = entry.Value.Object;
        }

        return (at, Encoding.UTF8.GetBytes(parts[^1]));
    }

    /// <summary>Takes in what the others wrote, in the order given.</summary>
    internal void Receive(params Replica[] others)
    {
        foreach (Replica other in others)
        {
            Assert.Empty(Fold.Receive(other.Written).BelowCut);
        }
    }

    /// <summary>Lets all see everything.</summary>
    internal static void Sync(params Replica[] all)
    {
        foreach (Replica to in all)
        {
            to.Receive(all);
            to.Receive(all);
            Assert.Equal(0, to.Fold.WaitingCount);
        }

        foreach (Replica other in all)
        {
            Assert.Equal(all[0].Listing(), other.Listing());
            Assert.Equal(all[0].State(), other.State());
        }
    }

    /// <summary>The whole shown tree as lines.</summary>
    internal string Listing()
    {
        var lines = new StringBuilder();
        List(TreeQueries.Root, string.Empty, lines);
        return lines.ToString();
    }

    /// <summary>The bytes of the table without the fold's own.</summary>
    internal byte[] State()
    {
        var bytes = new List<byte>();
        TableCursor cursor = Fold.Table.Scan([], [FoldKeys.Reserved]);
        Span<byte> length = stackalloc byte[4];
        while (cursor.MoveNext())
        {
            BinaryPrimitives.WriteInt32LittleEndian(length, cursor.Key.Length);
            bytes.AddRange(length);
            bytes.AddRange(cursor.Key);
            bytes.AddRange(cursor.Value);
        }

        return [.. bytes];
    }

    private void List(ObjectId directory, string path, StringBuilder lines)
    {
        foreach (EntryView entry in Queries.List(directory, default, int.MaxValue))
        {
            EntryView? found = Queries.Lookup(directory, entry.Name);
            Assert.Equal(entry.Object, found?.Object);
            ObjectView view = Queries.Get(entry.Object)!;
            string name = path + "/" + Encoding.UTF8.GetString(entry.Name.Span);
            lines.Append(name).Append(entry.Kind == TreeKind.Directory ? "/" : "=" + ContentOf(view)).Append('\n');
            if (entry.Kind == TreeKind.Directory)
            {
                List(entry.Object, name, lines);
            }
        }
    }
}
