using Cairn.Node.Control;

namespace Cairn.Node.Offline;

/// <summary>Files that were read here in vain: their data is not on this node, and nobody who has it can be reached.</summary>
/// <remarks>Thread: any; reads come from the doors.</remarks>
internal sealed class UnreadableFiles(TimeProvider time, NodeDiary diary)
{
    private const int PathsMax = 100;
    private const int ShownMax = 3;
    private static readonly TimeSpan ShownFor = TimeSpan.FromMinutes(10);

    private readonly List<(string Path, long At)> _read = [];
    private readonly Lock _lock = new();

    /// <summary>What the owner is told of the last minutes; null when every read found its data.</summary>
    public NodeProblem? Problem
    {
        get
        {
            lock (_lock)
            {
                _read.RemoveAll(read => time.GetElapsedTime(read.At) > ShownFor);
                if (_read.Count == 0)
                {
                    return null;
                }

                string some = string.Join(", ", _read.Take(ShownMax).Select(read => read.Path));
                string more = _read.Count > ShownMax ? $" and {_read.Count - ShownMax} more" : string.Empty;
                return new NodeProblem(
                    "unreadable",
                    $"Not on this machine, and no machine that has it could be reached: {some}{more}.",
                    "Bring the others back; `cairn pin` keeps here what is needed on the way.");
            }
        }
    }

    /// <summary>A read failed.</summary>
    public void Note(string path)
    {
        lock (_lock)
        {
            _read.RemoveAll(read => read.Path == path);
            _read.Insert(0, (path, time.GetTimestamp()));
            if (_read.Count > PathsMax)
            {
                _read.RemoveAt(PathsMax);
            }
        }

        diary.Add(
            LogLevel.Warning, "read",
            $"{path} was read, but its data is not on this machine and no machine that has it can be reached.");
    }
}
