namespace Cairn.Core.Fold.Tables;

/// <summary>
/// Says of most keys that are not in a set that they are not: Bloom filters, each twice the size of the one before.
/// </summary>
/// <remarks>
/// 16 bits and 3 probes a key: one absent key in about 200 is not recognised. Keys are never taken out.
/// </remarks>
internal sealed class KeyFilter
{
    private const int BitsPerKey = 16;
    private const int FirstKeys = 1 << 16;

    private readonly List<ulong[]> _levels = [];
    private int _room;

    /// <summary>Adds a key by its hash.</summary>
    internal void Add(uint hash)
    {
        if (_room == 0)
        {
            _room = FirstKeys << _levels.Count;
            _levels.Add(new ulong[(long)_room * BitsPerKey / 64]);
        }

        _room--;
        ulong[] level = _levels[^1];
        level[Word(level, hash, 0, out int bit)] |= 1UL << bit;
        level[Word(level, hash, 1, out bit)] |= 1UL << bit;
        level[Word(level, hash, 2, out bit)] |= 1UL << bit;
    }

    /// <summary>False: the key was never added.</summary>
    internal bool MayContain(uint hash)
    {
        foreach (ulong[] level in _levels)
        {
            if ((level[Word(level, hash, 0, out int bit)] >> bit & 1) != 0
                && (level[Word(level, hash, 1, out bit)] >> bit & 1) != 0
                && (level[Word(level, hash, 2, out bit)] >> bit & 1) != 0)
            {
                return true;
            }
        }

        return false;
    }

    private static int Word(ulong[] level, uint hash, int probe, out int bit)
    {
        ulong mixed = hash * 0x9E3779B97F4A7C15UL;
        mixed = (mixed ^ (mixed >> 29)) * (0xBF58476D1CE4E5B9UL + ((ulong)probe * 0x94D049BB133111EAUL));
        bit = (int)(mixed & 63);
        return (int)Math.BigMul(mixed, (ulong)level.Length, out _);
    }
}
