using System.Globalization;
using Cairn.Core.Primitives;
using Cairn.Storage.Ports;

namespace Cairn.Storage.Journaling;

/// <summary>The segment files of a journal: which are free, which is next, which may be made.</summary>
/// <remarks>Guarded by the journal's gate. A slot that was claimed for cleaning or making is touched without it.</remarks>
internal sealed class JournalSegments(IDisk disk, JournalOptions options)
{
    private readonly List<SegmentSlot> _slots = [];
    private readonly Queue<SegmentSlot> _ready = new();
    private readonly Queue<SegmentSlot> _unclean = new();
    private int _making;
    private int _nextIndex;

    /// <summary>A freed segment was wiped and synced: no replay finds it any more. Raised under the gate.</summary>
    public event Action<ulong>? Wiped;

    /// <summary>Every open slot, in the order of their files.</summary>
    public IReadOnlyList<SegmentSlot> Slots => _slots;

    /// <summary>Segments that could still be begun.</summary>
    public int Available => _ready.Count + _unclean.Count + Math.Max(0, options.SegmentsMax - _slots.Count - _making);

    /// <summary>Whether half of all segments are in use.</summary>
    public bool IsCrowded => Available <= options.SegmentsMax / 2;

    /// <summary>Whether the next roll would have to wait for the disk.</summary>
    public bool IsOut => _ready.Count == 0;

    /// <summary>Whether <see cref="Take"/> would wipe a segment.</summary>
    public bool WipesToTake => IsOut && _unclean.Count > 0;

    /// <summary>Whether another segment should be made ahead.</summary>
    public bool NeedsPreparing =>
        _ready.Count < options.SegmentsReady
        && _slots.Count + _making < Math.Min(options.SegmentsMax, options.SegmentsKept);

    /// <summary>Opens the files that exist.</summary>
    public Result<Unit, DiskError> OpenExisting()
    {
        Result<Unit, DiskError> made = disk.CreateDirectory(options.Folder);
        if (!made.IsOk)
        {
            return made;
        }

        if (!disk.List(options.Folder).TryGet(out IReadOnlyList<string>? names, out DiskError error))
        {
            return error;
        }

        foreach (string name in names)
        {
            if (!TryParse(name, out int index))
            {
                continue;
            }

            if (!disk.Open(PathOf(index), DiskOpenMode.ReadWrite).TryGet(out IDiskFile? file, out error))
            {
                return error;
            }

            _slots.Add(new SegmentSlot(index, file));
            _nextIndex = Math.Max(_nextIndex, index + 1);
        }

        return Unit.Value;
    }

    /// <summary>The slot that holds a segment, or null.</summary>
    public SegmentSlot? Find(ulong number)
    {
        foreach (SegmentSlot slot in _slots)
        {
            if (slot.Number == number)
            {
                return slot;
            }
        }

        return null;
    }

    /// <summary>Takes a slot that a segment can begin in, making or cleaning one now if none is ready.</summary>
    /// <param name="isForced">Whether one more than allowed may be made: a full journal must open, or it could never empty.</param>
    public Result<SegmentSlot, DiskError> Take(bool isForced)
    {
        if (_ready.TryDequeue(out SegmentSlot? ready))
        {
            return ready;
        }

        if (TryClaimUnclean(out SegmentSlot? unclean))
        {
            Result<Unit, DiskError> cleaned = Clean(unclean);
            if (!cleaned.IsOk)
            {
                _unclean.Enqueue(unclean);
                return cleaned.Error;
            }

            NoteWiped(unclean);
            return unclean;
        }

        if (!TryClaimNew(out int index, isForced))
        {
            return new DiskError(DiskErrorKind.NoSpace, options.Folder, "the journal is full");
        }

        Result<SegmentSlot, DiskError> made = Make(index);
        Made(made);
        return made.IsOk ? _ready.Dequeue() : made;
    }

    /// <summary>A segment is needed no more: its slot waits to be cleaned.</summary>
    public void Free(SegmentSlot slot)
    {
        Invariant.That(slot is { IsSealed: true, Live: 0 }, $"segment {slot.Number} freed while needed");
        slot.Unwiped = slot.Number;
        slot.Number = 0;
        _unclean.Enqueue(slot);
    }

    /// <summary>Whether a replay would find a segment.</summary>
    public bool IsThere(ulong number) => _slots.Exists(slot => slot.Number == number || slot.Unwiped == number);

    /// <summary>A slot that was taken and not used.</summary>
    public void AddReady(SegmentSlot slot) => _ready.Enqueue(slot);

    /// <summary>A slot whose file was found without a segment; it is cleaned before use.</summary>
    public void AddUnclean(SegmentSlot slot) => _unclean.Enqueue(slot);

    /// <summary>Claims a freed slot, to be cleaned without the gate.</summary>
    public bool TryClaimUnclean([System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out SegmentSlot? slot) =>
        _unclean.TryDequeue(out slot);

    /// <summary>Gives a claimed slot back, clean or not; a clean one that is more than should be kept is deleted.</summary>
    public void Cleaned(SegmentSlot slot, bool isClean)
    {
        if (!isClean)
        {
            _unclean.Enqueue(slot);
            return;
        }

        NoteWiped(slot);
        if (slot.Users > 0 || _slots.Count <= options.SegmentsKept)
        {
            _ready.Enqueue(slot);
            return;
        }

        _slots.Remove(slot);
        slot.File.Dispose();
        _ = disk.Delete(slot.File.Path);
    }

    /// <summary>Claims the right to make one more file.</summary>
    public bool TryClaimNew(out int index, bool isForced = false)
    {
        index = _nextIndex;
        if (!isForced && _slots.Count + _making >= options.SegmentsMax)
        {
            return false;
        }

        _nextIndex++;
        _making++;
        return true;
    }

    /// <summary>Makes a file with its blocks reserved; its name survives power loss. Without the gate.</summary>
    public Result<SegmentSlot, DiskError> Make(int index)
    {
        if (!disk.Open(PathOf(index), DiskOpenMode.CreateNew).TryGet(out IDiskFile? file, out DiskError error))
        {
            return error;
        }

        Result<Unit, DiskError> made = file.Preallocate(options.SegmentBytes);
        made = made.IsOk ? file.Sync() : made;
        made = made.IsOk ? disk.SyncDirectory(options.Folder) : made;
        if (!made.IsOk)
        {
            file.Dispose();
            _ = disk.Delete(PathOf(index));
            return made.Error;
        }

        return new SegmentSlot(index, file);
    }

    /// <summary>Ends a claim of <see cref="TryClaimNew"/>.</summary>
    public void Made(Result<SegmentSlot, DiskError> made)
    {
        _making--;
        if (made.IsOk)
        {
            _slots.Add(made.Value);
            _ready.Enqueue(made.Value);
        }
    }

    /// <summary>Segments that a power loss could change up to a sequence, oldest first. Under the gate.</summary>
    /// <remarks>
    /// Freed ones that a replay would still find are among them: at a torn frame of theirs it would end, before what is durable behind.
    /// So is the newest as long as its name is not on the disk. If power loss took that, and all older ones were wiped, a replay would
    /// find no segment and number them from 1 again, where frames of the first segments 1, 2, ... still lie in the files: old records
    /// would come back as new ones.
    /// </remarks>
    /// <param name="through">The last sequence that counts.</param>
    public List<SegmentSlot> FindUnsynced(ulong through)
    {
        SegmentSlot? newest = null;
        List<SegmentSlot> unsynced = [];
        foreach (SegmentSlot slot in _slots)
        {
            newest = slot.Number > (newest?.Number ?? 0) ? slot : newest;
            if (Math.Max(slot.Number, slot.Unwiped) != 0 && slot.FirstSeq <= through
                && slot.SyncedThrough < Math.Min(slot.LastSeq, through))
            {
                unsynced.Add(slot);
            }
        }

        if (newest is { IsNameDurable: false } && !unsynced.Contains(newest))
        {
            unsynced.Add(newest);
        }

        unsynced.Sort(static (a, b) => a.FirstSeq.CompareTo(b.FirstSeq));
        return unsynced;
    }

    /// <summary>Syncs what <see cref="FindUnsynced"/> finds, where a writer is about to wipe a segment itself. Under the gate.</summary>
    public Result<Unit, DiskError> SyncAll(ulong through)
    {
        foreach (SegmentSlot slot in FindUnsynced(through))
        {
            Result<Unit, DiskError> synced = slot.Sync();
            if (!synced.IsOk)
            {
                return synced;
            }

            slot.SyncedThrough = Math.Max(slot.SyncedThrough, through);
        }

        return Unit.Value;
    }

    /// <summary>Makes a claimed slot fit for a new segment. Without the gate.</summary>
    /// <remarks>What <see cref="FindUnsynced"/> found was synced since the slot was freed.</remarks>
    public Result<Unit, DiskError> Clean(SegmentSlot slot)
    {
        Result<Unit, DiskError> cleaned = slot.Clear();
        if (!cleaned.IsOk)
        {
            return cleaned;
        }

        if (!slot.File.Length().TryGet(out long length, out DiskError error))
        {
            return error;
        }

        // A journal that was given more made longer files: what is over would be beyond the space that the owner gives now.
        cleaned = length > options.SegmentBytes ? slot.File.SetLength(options.SegmentBytes) : cleaned;
        return cleaned.IsOk ? slot.File.Preallocate(options.SegmentBytes) : cleaned;
    }

    private void NoteWiped(SegmentSlot slot)
    {
        if (slot.Unwiped != 0)
        {
            ulong number = slot.Unwiped;
            slot.Unwiped = 0;
            Wiped?.Invoke(number);
        }
    }

    /// <summary>Closes all files.</summary>
    public void Dispose()
    {
        foreach (SegmentSlot slot in _slots)
        {
            slot.File.Dispose();
        }
    }

    private string PathOf(int index) =>
        string.Create(CultureInfo.InvariantCulture, $"{options.Folder}/{index:D6}.seg");

    private static bool TryParse(string name, out int index)
    {
        index = 0;
        return name.EndsWith(".seg", StringComparison.Ordinal)
            && int.TryParse(
                name.AsSpan(0, name.Length - 4), NumberStyles.None, CultureInfo.InvariantCulture, out index);
    }
}
