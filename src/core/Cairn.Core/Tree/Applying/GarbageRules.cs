using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree.Records;

namespace Cairn.Core.Tree.Applying;

/// <summary>What condemn, rescue and exclude do at their point in the order.</summary>
/// <remarks>
/// A condemned object or version is forgotten only if it is still detached or superseded: what came back meanwhile
/// stays.
/// The list of addresses stays until a later condemn names it as settled; a rescue takes its addresses out of every
/// list.
/// </remarks>
internal sealed class GarbageRules(WorkingSet work)
{
    internal void Apply(Condemn condemn)
    {
        foreach (ObjectId id in condemn.Objects)
        {
            if (work.LoadExact(id) is { Form: ObjectForm.Plain, Detached: true } record)
            {
                Forget(record);
            }
        }

        Span<byte> version = stackalloc byte[TreeKeys.VersionKeySize];
        foreach (VersionRef reference in condemn.Versions)
        {
            work.Table.Put(TreeKeys.Version(version, reference.Object, reference.Version), null);
        }

        Span<byte> key = stackalloc byte[TreeKeys.TransactionKeySize];
        foreach (TransactionId settled in condemn.Settled)
        {
            work.Table.Put(Key(key, settled), null);
        }

        if (!condemn.Addresses.IsDefaultOrEmpty)
        {
            byte[] list = new byte[condemn.Addresses.Length * ChunkAddress.Size];
            for (int i = 0; i < condemn.Addresses.Length; i++)
            {
                condemn.Addresses[i].Value.CopyTo(list.AsSpan(i * ChunkAddress.Size));
            }

            work.Table.Put(Key(key, work.Transaction.Id), list);
        }
    }

    internal void Apply(Rescue rescue)
    {
        var rescued = new HashSet<ChunkAddress>(rescue.Addresses);
        foreach ((byte[] key, byte[] list) in All([TreeKeys.Condemned]))
        {
            byte[] kept = new byte[list.Length];
            int length = 0;
            for (int at = 0; at < list.Length; at += ChunkAddress.Size)
            {
                ReadOnlySpan<byte> address = list.AsSpan(at, ChunkAddress.Size);
                if (!rescued.Contains(new ChunkAddress(address)))
                {
                    address.CopyTo(kept.AsSpan(length));
                    length += ChunkAddress.Size;
                }
            }

            if (length < list.Length)
            {
                work.Table.Put(key, length == 0 ? null : kept[..length]);
            }
        }
    }

    internal void Apply(Exclude exclude)
    {
        byte[]? by = null;
        if (exclude.Excluded)
        {
            by = new byte[TreeKeys.TransactionIdSize];
            TreeKeys.Transaction(by, work.Transaction.Id);
        }

        work.Table.Put(TreeKeys.Node(TreeKeys.Excluded, exclude.Member), by);
    }

    private void Forget(ObjectRecord record)
    {
        work.UnfileDetached(record);
        WorkingSet.Purge(record);
        Span<byte> prefix = stackalloc byte[TreeKeys.IdKeySize];
        foreach (byte tag in (ReadOnlySpan<byte>)[TreeKeys.ExtendedAttribute, TreeKeys.Superseded, TreeKeys.Rule])
        {
            foreach ((byte[] key, byte[] _) in All(TreeKeys.Id(prefix, tag, record.Id.Value)))
            {
                work.Table.Put(key, null);
            }
        }
    }

    private List<KeyValuePair<byte[], byte[]>> All(ReadOnlySpan<byte> prefix)
    {
        var all = new List<KeyValuePair<byte[], byte[]>>();
        TableCursor cursor = work.Table.Scan(prefix, TreeKeys.EndOf(prefix));
        while (cursor.MoveNext())
        {
            all.Add(new(cursor.Key, cursor.Value));
        }

        return all;
    }

    private static Span<byte> Key(Span<byte> key, TransactionId id)
    {
        key[0] = TreeKeys.Condemned;
        TreeKeys.Transaction(key[1..], id);
        return key[..TreeKeys.TransactionKeySize];
    }
}
