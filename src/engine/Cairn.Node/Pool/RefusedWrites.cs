using Cairn.Node.Control;
using Cairn.Node.Volumes;

namespace Cairn.Node.Pool;

/// <summary>Writes that were refused for want of room, and what there was no room in: "no space left" alone says neither.</summary>
/// <remarks>Thread: any; writes come from the doors.</remarks>
internal sealed class RefusedWrites(TimeProvider time, NodeDiary diary)
{
    private static readonly TimeSpan ShownFor = TimeSpan.FromMinutes(2);

    private readonly Lock _lock = new();
    private (string Volume, WriteRefusal Why)? _last;
    private long _at;

    /// <summary>What the owner is told of the last minutes; null when every write found room.</summary>
    public NodeProblem? Problem
    {
        get
        {
            lock (_lock)
            {
                bool isRecent = time.GetElapsedTime(_at) <= ShownFor;
                return isRecent && _last is { } last ? Describe(last.Volume, last.Why) : null;
            }
        }
    }

    /// <summary>A write was refused.</summary>
    public void Note(string volume, WriteRefusal why)
    {
        bool isNews;
        lock (_lock)
        {
            isNews = _last != (volume, why) || time.GetElapsedTime(_at) > ShownFor;
            _last = (volume, why);
            _at = time.GetTimestamp();
        }

        if (isNews)
        {
            diary.Add(LogLevel.Warning, "write", Describe(volume, why).Message);
        }
    }

    private static NodeProblem Describe(string volume, WriteRefusal why)
    {
        (string reason, string remedy) = why switch
        {
            WriteRefusal.PoolFull => (
                "fewer machines have room than a file has copies.",
                "`cairn nodes` shows whose room is used up: give more there with `cairn space set`, add a machine, or "
                + "delete something."),
            WriteRefusal.NodeFull => (
                "this machine has no room for what others have not taken over yet.",
                "Connect it with the others, or give more with `cairn space set`."),
            WriteRefusal.JournalFull => (
                "the journal is full of writes that could not be made versions of their files yet.",
                "`cairn status` and `cairn logs` say what keeps them. The journal takes an eighth of what "
                + "`cairn space set` gives."),
            _ => throw new ArgumentOutOfRangeException(nameof(why), why, "no such reason"),
        };
        return new NodeProblem("writes-refused", $"Writes to '{volume}' are refused: {reason}", remedy);
    }
}
