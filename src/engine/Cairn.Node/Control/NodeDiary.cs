using Cairn.Core.Primitives;
using Cairn.Storage;

namespace Cairn.Node.Control;

/// <summary>The last things that happened on this node, in sentences, for `cairn logs`.</summary>
/// <remarks>
/// What is tried again every few seconds fails every few seconds: a warning or an error that repeats is written once a
/// minute, with how often it was said since, so that it drives nothing else out of the diary and fills no file.
/// Thread: any.
/// </remarks>
public sealed class NodeDiary(TimeProvider time)
{
    /// <summary>How long a warning that repeats is only counted.</summary>
    public static readonly TimeSpan HeldBackFor = TimeSpan.FromMinutes(1);

    private const int LinesMax = 2000;
    private const int SaidMax = 500;
    private readonly Queue<LogLine> _lines = new();
    private readonly Dictionary<(string Source, string Text), Said> _said = [];
    private readonly Lock _lock = new();
    private long _number;

    /// <summary>Told of every line, on the thread that wrote it.</summary>
    public event Action<LogLine>? Added;

    /// <summary>Adds why something that this node keeps for itself could not be written.</summary>
    public void AddFailure(Result<Unit, StoreError> written)
    {
        if (!written.TryGet(out _, out StoreError error))
        {
            Add(LogLevel.Error, "node", error.ToString());
        }
    }

    /// <summary>Writes a line.</summary>
    public void Add(LogLevel level, string source, string text)
    {
        LogLine line;
        lock (_lock)
        {
            if (level >= LogLevel.Warning)
            {
                int repeated = Repeated((source, text));
                if (repeated < 0)
                {
                    return;
                }

                text = repeated == 0 ? text : $"{text} (repeated {repeated} times)";
            }

            line = new LogLine(++_number, WallTime.From(time.GetUtcNow()), level, source, text);
            _lines.Enqueue(line);
            if (_lines.Count > LinesMax)
            {
                _lines.Dequeue();
            }
        }

        Added?.Invoke(line);
    }

    /// <summary>How often it was said since it was last written, this time included; 0: not before; -1: not yet again.</summary>
    private int Repeated((string Source, string Text) sentence)
    {
        long now = time.GetTimestamp();
        bool isKnown = _said.TryGetValue(sentence, out Said said);
        if (isKnown && time.GetElapsedTime(said.At, now) < HeldBackFor)
        {
            _said[sentence] = said with { HeldBack = said.HeldBack + 1 };
            return -1;
        }

        if (_said.Count >= SaidMax)
        {
            _said.Clear();
        }

        _said[sentence] = new Said(now, 0);
        return isKnown && said.HeldBack > 0 ? said.HeldBack + 1 : 0;
    }

    /// <summary>The newest lines after a number.</summary>
    public IReadOnlyList<LogLine> After(long number, int countMax)
    {
        lock (_lock)
        {
            return [.. _lines.Where(line => line.Number > number).TakeLast(countMax)];
        }
    }

    /// <summary>A sentence that was written.</summary>
    /// <param name="At">When, as a time stamp.</param>
    /// <param name="HeldBack">How often it was said since and not written.</param>
    private readonly record struct Said(long At, int HeldBack);
}
