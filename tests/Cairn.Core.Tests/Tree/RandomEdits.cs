using System.Text;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Core.Tree.Past;

namespace Cairn.Core.Tests.Tree;

/// <summary>Makes a random edit on what one member sees; notes which contents it gave up knowingly.</summary>
/// <param name="replica">Who edits.</param>
/// <param name="random">The choices.</param>
/// <param name="contents">Every content ever written; 0 while nobody who saw it gave it up.</param>
internal sealed class RandomEdits(Replica replica, Prng random, Dictionary<string, byte> contents)
{
    private static readonly string[] Names = ["a", "b", "c.txt", "d", "e"];

    private readonly HistoryEdits _history = new(replica.Queries, replica.Fresh);
    private readonly List<(ObjectId Parent, EntryView Entry)> _all = [];
    private readonly List<ObjectId> _directories = [];

    internal void Next(int step)
    {
        _directories.Add(TreeQueries.Root);
        Collect(TreeQueries.Root);
        ObjectId parent = _directories[random.Next(_directories.Count)];
        byte[] name = Encoding.UTF8.GetBytes(Names[random.Next(Names.Length)]);
        var made = new NewObject(new ObjectId(replica.Fresh()), 0x1A4, 0, 0, replica.Now);
        (ObjectId Parent, EntryView Entry)? some = _all.Count == 0 ? null : _all[random.Next(_all.Count)];
        switch (random.Next(15))
        {
            case 0 or 1 or 2:
                Create(parent, name, made, step);
                break;
            case 3 or 4:
                replica.Do(replica.Edits.MakeDirectory(parent, name, made));
                break;
            case 5 or 6 when some is { } entry && entry.Entry.Kind == TreeKind.File:
                Write(entry.Entry, step);
                break;
            case 7 when some is { } entry:
                Remove(entry.Parent, entry.Entry);
                break;
            case 8 or 9 or 10 when some is { } entry:
                Rename(entry.Parent, entry.Entry, parent, name);
                break;
            case 11 when some is { } entry:
                replica.Do(replica.Edits.SetAttributes(entry.Entry.Object, (uint)random.Next(512), null, null,
                    replica.Now));
                if (random.Chance(2))
                {
                    replica.Do(replica.Edits.Link(entry.Entry.Object, parent, name));
                }

                break;
            case 12 when some is { } entry && entry.Entry.Kind == TreeKind.File:
                Restore(entry.Entry);
                break;
            case 13:
                Undelete(parent, name);
                break;
            case 14:
                Resolve();
                break;
            default:
                break;
        }
    }

    private void Collect(ObjectId directory)
    {
        foreach (EntryView entry in replica.Queries.List(directory, default, 1000))
        {
            _all.Add((directory, entry));
            if (entry.Kind == TreeKind.Directory)
            {
                _directories.Add(entry.Object);
                Collect(entry.Object);
            }
        }
    }

    private void Create(ObjectId parent, byte[] name, NewObject made, int step)
    {
        string content = $"{replica.Log.Author.Short}-{step}";
        if (replica.Do(replica.Edits.CreateFile(parent, name, made, replica.Content(content))) is null)
        {
            contents[content] = 0;
        }
    }

    private void Write(EntryView entry, int step)
    {
        ObjectView view = replica.Queries.Get(entry.Object)!;
        string content = random.Chance(6) ? "equal" : $"{replica.Log.Author.Short}-{step}";
        string before = Replica.ContentOf(view);
        if (replica.Do(replica.Edits.WriteVersion(
            view.Id, view.Head is { } head ? [head.Version] : [], replica.Content(content))) is null)
        {
            GiveUp(before);
            contents[content] = contents.GetValueOrDefault(content);
            if (content == "equal")
            {
                contents[content] = 1;
            }
        }
    }

    private void Remove(ObjectId parent, EntryView entry)
    {
        ObjectView view = replica.Queries.Get(entry.Object)!;
        string content = Replica.ContentOf(view);
        TreeError? error = entry.Kind == TreeKind.Directory
            ? replica.Do(replica.Edits.RemoveDirectory(parent, entry.Name))
            : replica.Do(replica.Edits.Unlink(parent, entry.Name));
        if (error is null)
        {
            GiveUp(content);
        }
    }

    private void Rename(ObjectId fromParent, EntryView entry, ObjectId toParent, byte[] toName)
    {
        var mode = (TreeRenameMode)random.Next(3);
        EntryView? target = replica.Queries.Lookup(toParent, toName);
        string replaced = target is { } there && there.Object != entry.Object
            ? Replica.ContentOf(replica.Queries.Get(there.Object)!)
            : string.Empty;
        if (replica.Do(replica.Edits.Rename(fromParent, entry.Name, toParent, toName, mode)) is null
            && mode == TreeRenameMode.Replace)
        {
            GiveUp(replaced);
        }
    }

    private void Restore(EntryView entry)
    {
        IReadOnlyList<HistoricVersion> history = new FileHistory(replica.Queries).Of(entry.Object);
        if (history.Count == 0)
        {
            return;
        }

        string before = Replica.ContentOf(replica.Queries.Get(entry.Object)!);
        HistoricVersion chosen = history[random.Next(history.Count)];
        if (replica.Do(_history.Restore(entry.Object, chosen.Version.Version, replica.Now)) is null)
        {
            GiveUp(before);
        }
    }

    private void Undelete(ObjectId parent, byte[] name)
    {
        TrashedObject[] trash = [.. new TrashQueries(replica.Queries).All()];
        if (trash.Length > 0)
        {
            TrashedObject gone = trash[random.Next(trash.Length)];
            replica.Do(random.Chance(2)
                ? _history.Undelete(gone.Object.Id, gone.Parent, gone.Name)
                : _history.Undelete(gone.Object.Id, parent, name));
        }
    }

    private void Resolve()
    {
        (ObjectId Parent, ReadOnlyMemory<byte> Name)[] all = [.. replica.Queries.ConflictedNames()];
        if (all.Length == 0)
        {
            return;
        }

        (ObjectId parent, ReadOnlyMemory<byte> name) = all[random.Next(all.Length)];
        List<EntryView> sides = [.. _all.Where(entry => entry.Parent == parent
            && entry.Entry.StoredName.Span.SequenceEqual(name.Span)).Select(entry => entry.Entry)];
        if (sides.Count == 0)
        {
            return;
        }

        EntryView kept = sides[random.Next(sides.Count)];
        string[] others = [.. sides.Where(side => side.Object != kept.Object)
            .Select(side => Replica.ContentOf(replica.Queries.Get(side.Object)!))];
        var choice = (ConflictChoice)random.Next(2);
        if (replica.Do(_history.Resolve(parent, name, choice, kept.Object, replica.Now)) is null
            && choice == ConflictChoice.One)
        {
            Array.ForEach(others, GiveUp);
        }
    }

    private void GiveUp(string content)
    {
        if (content.Length > 0)
        {
            contents[content] = 1;
        }
    }
}
