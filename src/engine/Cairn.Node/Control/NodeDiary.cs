using Cairn.Core.Primitives;

namespace Cairn.Node.Control;

/// <summary>The last things that happened on this node, in sentences, for `cairn logs`.</summary>
/// <remarks>Thread: any.</remarks>
public sealed class NodeDiary(TimeProvider time)
{
    private const int LinesMax = 2000;
    private readonly Queue<LogLine> _lines = new();
    private readonly Lock _lock = new();
    private long _number;

    /// <summary>Told of every line, on the thread that wrote it.</summary>
    public event Action<LogLine>? Added;

    /// <summary>Writes a line.</summary>
    public void Add(LogLevel level, string source, string text)
    {
        LogLine line;
        lock (_lock)
        {
            line = new LogLine(++_number, WallTime.From(time.GetUtcNow()), level, source, text);
            _lines.Enqueue(line);
            if (_lines.Count > LinesMax)
            {
                _lines.Dequeue();
            }
        }

        Added?.Invoke(line);
    }

    /// <summary>The newest lines after a number.</summary>
    public IReadOnlyList<LogLine> After(long number, int countMax)
    {
        lock (_lock)
        {
            return [.. _lines.Where(line => line.Number > number).TakeLast(countMax)];
        }
    }
}
