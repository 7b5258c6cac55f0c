using System.Globalization;
using System.Text;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree.Records;

namespace Cairn.Core.Tree;

/// <summary>
/// What is shown of one stored name: its holder under the name itself, every conflict under one of its own.
/// </summary>
/// <remarks>
/// The names are a function of the table alone, so every node shows the same: <c>stem (conflict HOST DATE).ext</c>,
/// with HOST the name the author gave itself and DATE its claimed time in UTC. A name that exists for real gets a
/// number. Objects with equal content are not shown twice.
/// </remarks>
internal sealed class ConflictNames(ITableSource table)
{
    private const int NumberMax = 10_000;
    private static ReadOnlySpan<byte> Mark => " (conflict "u8;

    /// <summary>Whether a name could be one that is shown for a conflict: a cheap test before a dear search.</summary>
    internal static bool CouldBe(ReadOnlySpan<byte> name) => name.IndexOf(Mark) >= 0;

    /// <summary>Everything shown of a stored name, the holder first.</summary>
    internal List<EntryView> Shown(ObjectId parent, ReadOnlyMemory<byte> name, byte[] slot)
    {
        var shown = new List<EntryView>(2);
        var records = new List<ObjectRecord>(2);
        for (int i = 0; i < Slot.Count(slot); i++)
        {
            ObjectId id = Slot.ObjectAt(slot, i);
            ObjectRecord record = Record(id);
            if (records.Exists(other => Equal(other, record)))
            {
                continue;
            }

            records.Add(record);
            NodeId author = record.Heads.Count > 0 ? record.Heads[0].Author : record.Creator;
            WallTime date = record.Heads.Count > 0 ? record.Heads[0].Written : record.Created;
            ReadOnlyMemory<byte> own = i == 0 ? name : Free(parent, name.Span, author, date, id, shown);
            shown.Add(new EntryView(own, id, record.Kind, name, id));
            for (int h = 1; h < record.Heads.Count; h++)
            {
                HeadRecord head = record.Heads[h];
                ReadOnlyMemory<byte> free = Free(parent, name.Span, head.Author, head.Written, head.Branch, shown);
                shown.Add(new EntryView(free, head.Branch, record.Kind, name, id));
            }
        }

        return shown;
    }

    /// <summary>Objects of a slot that are not shown because they equal the holder.</summary>
    internal List<ObjectRecord> HiddenEquals(byte[] slot)
    {
        var hidden = new List<ObjectRecord>();
        if (Slot.Count(slot) > 1)
        {
            ObjectRecord holder = Record(Slot.ObjectAt(slot, 0));
            for (int i = 1; i < Slot.Count(slot); i++)
            {
                ObjectRecord other = Record(Slot.ObjectAt(slot, i));
                if (Equal(holder, other))
                {
                    hidden.Add(other);
                }
            }
        }

        return hidden;
    }

    private static bool Equal(ObjectRecord a, ObjectRecord b) => a.Kind == b.Kind && a.Kind switch
    {
        TreeKind.File => a.Heads.Count == b.Heads.Count && a.Heads.Count <= 1
            && (a.Heads.Count == 0 || a.Heads[0].SameContent(b.Heads[0])),
        TreeKind.SymbolicLink => a.LinkTarget.Span.SequenceEqual(b.LinkTarget.Span),
        TreeKind.Fifo or TreeKind.Socket => true,
        TreeKind.CharacterDevice or TreeKind.BlockDevice => a.Device == b.Device,
        TreeKind.Directory => false,
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    private ReadOnlyMemory<byte> Free(
        ObjectId parent, ReadOnlySpan<byte> name, NodeId author, WallTime date, ObjectId id, List<EntryView> shown)
    {
        Span<byte> key = stackalloc byte[TreeKeys.EntryKeyMax];
        for (int number = 1; number < NumberMax; number++)
        {
            byte[] candidate = Candidate(name, author, date, id, number);
            bool taken = table.Get(TreeKeys.Named(key, TreeKeys.Entry, parent, candidate)) is not null
                || shown.Exists(other => other.Name.Span.SequenceEqual(candidate));
            if (!taken)
            {
                return candidate;
            }
        }

        throw new InvariantException($"no free conflict name in directory {parent}");
    }

    private byte[] Candidate(ReadOnlySpan<byte> name, NodeId author, WallTime date, ObjectId id, int number)
    {
        int dot = name.LastIndexOf((byte)'.');
        ReadOnlySpan<byte> stem = dot > 0 ? name[..dot] : name;
        ReadOnlySpan<byte> extension = dot > 0 && name.Length - dot <= 32 ? name[dot..] : [];
        stem = extension.IsEmpty ? name : stem;
        string day = date.ToDateTimeOffset().ToString("yyyy-MM-dd HHmmss", CultureInfo.InvariantCulture);
        string count = number == 1 ? string.Empty : string.Create(CultureInfo.InvariantCulture, $" {number}");
        string middle = $" (conflict {Host(author)} {day}{count})";
        if (stem.Length + middle.Length + extension.Length > Transaction.NameBytesMax)
        {
            // What is cut off could have told two names apart: the id does.
            middle = $" (conflict {Host(author)} {day} {id.Short}{count})";
            stem = stem[..WholeCharacters(stem, Transaction.NameBytesMax - middle.Length - extension.Length)];
        }

        return [.. stem, .. Encoding.ASCII.GetBytes(middle), .. extension];
    }

    private string Host(NodeId author)
    {
        byte[]? name = table.Get(TreeKeys.Node(TreeKeys.AuthorName, author));
        if (name is null)
        {
            return author.Short;
        }

        var host = new StringBuilder(name.Length);
        foreach (char c in Encoding.UTF8.GetString(name))
        {
            host.Append(char.IsAsciiLetterOrDigit(c) || c is '-' or '_' ? c : '-');
        }

        return host.ToString(0, Math.Min(host.Length, 32));
    }

    /// <summary>
    /// The longest prefix of at most <paramref name="length"/> bytes that does not cut a UTF-8 character.
    /// </summary>
    private static int WholeCharacters(ReadOnlySpan<byte> text, int length)
    {
        int end = length;
        while (end > 0 && length - end < 4 && (text[end] & 0xC0) == 0x80)
        {
            end--;
        }

        return length - end < 4 ? end : length;
    }

    private ObjectRecord Record(ObjectId id)
    {
        Span<byte> key = stackalloc byte[TreeKeys.IdKeySize];
        byte[]? encoded = table.Get(TreeKeys.Id(key, TreeKeys.Object, id.Value));
        Invariant.That(encoded is not null, $"an entry points at object {id}, which is not there: rebuild the index");
        return ObjectRecord.Decode(id, encoded);
    }
}
