using Cairn.Core.Primitives;

namespace Cairn.Storage.Packs;

/// <summary>Fills the index from packs: of two records with one key the one in the later pack counts.</summary>
internal sealed class StoreOpening(RecordIndex index, PackFiles files) : IPackVisitor
{
    /// <summary>Damage that was found.</summary>
    public List<StoreFinding> Findings { get; } = [];

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
}
