using Cairn.Core.Primitives;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Packs;

/// <summary>Fills the index at start: from the snapshot where a pack has not changed since, from the pack itself otherwise.</summary>
/// <remarks>Of two records with one key the one in the later pack counts: compaction was on its way.</remarks>
internal sealed class StoreOpening(IDisk disk, string folder, RecordIndex index, PackFiles files) : IPackVisitor
{
    /// <summary>Damage that was found.</summary>
    public List<StoreFinding> Findings { get; } = [];

    /// <summary>The generation that changes are noted against from now on.</summary>
    public ulong Generation { get; private set; }

    /// <summary>Opens the pack files and rebuilds the index. Fails only when the disk does; damage is in the findings.</summary>
    public Result<Unit, DiskError> Run()
    {
        Result<Unit, DiskError> opened = files.OpenExisting();
        using PackScanner scanner = new(this);
        Dictionary<uint, Pack> byNumber = [];
        foreach (Pack? pack in files.Packs)
        {
            if (!opened.IsOk || pack is null)
            {
                continue;
            }

            opened = scanner.Identify(pack);
            files.Count(pack);
            if (pack.Number != 0 && !byNumber.TryAdd(pack.Number, pack))
            {
                Damaged(pack, 0, pack.FileBytes, null, "another file has the same pack number; this one is ignored");
                pack.Number = 0;
            }
        }

        if (!opened.IsOk)
        {
            return opened;
        }

        Generation = 1 + byNumber.Values.Select(KnownChange).DefaultIfEmpty(0ul).Max();
        UseSnapshot(byNumber);
        foreach (Pack pack in files.Packs.OfType<Pack>().ToArray())
        {
            if (pack.Number == 0)
            {
                files.AddFree(pack);
            }
            else if (byNumber.ContainsKey(pack.Number))
            {
                scanner.Scan(pack);

                // The last process may have written without a sync: the next commit covers that too.
                pack.Written++;
                Heal(pack);
            }
        }

        return Unit.Value;
    }

    /// <inheritdoc/>
    public void Found(Pack pack, int offset, in PackRecord record)
    {
        if (record.Use == PackFormat.Dead)
        {
            return;
        }

        int at = index.Table.Find(record.Key);
        if (at >= 0)
        {
            Pack other = files.Packs[index.Table[at].Pack]!;
            if (other.Number > pack.Number || (other == pack && index.Table[at].Offset > offset))
            {
                return;
            }

            index.Remove(at, other);
        }

        index.Add(record.Key, (ChunkUse)record.Use, pack, offset, record.Length);
    }

    /// <inheritdoc/>
    public void Damaged(Pack pack, int offset, int length, RecordKey? key, string detail) =>
        Findings.Add(new StoreFinding(
            new StoreError(StoreErrorKind.Corrupt, $"{pack.File.Path}+{offset}", detail), length, key));

    private static ulong KnownChange(Pack pack) => pack.ChangedSince == ulong.MaxValue ? 0 : pack.ChangedSince;

    /// <summary>Takes the records of packs that did not change since; those packs need no scan and leave the dictionary.</summary>
    private void UseSnapshot(Dictionary<uint, Pack> byNumber)
    {
        IndexSnapshot? snapshot = IndexSnapshot.Load(disk, folder, out StoreFinding? damage);
        if (damage is { } found)
        {
            Findings.Add(found);
        }

        if (snapshot is null)
        {
            return;
        }

        Dictionary<uint, Pack> trusted = [];
        foreach ((uint number, int end) in snapshot.Packs())
        {
            if (byNumber.TryGetValue(number, out Pack? pack) && pack.ChangedSince < snapshot.Generation
                && end <= pack.FileBytes)
            {
                pack.End = end;
                trusted[number] = pack;
                byNumber.Remove(number);
            }
        }

        Generation = Math.Max(Generation, snapshot.Generation);
        snapshot.Visit(trusted, this);
    }

    /// <summary>A pack whose header was damaged gets it back.</summary>
    private void Heal(Pack pack)
    {
        if (pack.ChangedSince == ulong.MaxValue)
        {
            pack.ChangedSince = Generation;
            _ = pack.WriteHeader();
        }
    }
}
