namespace Cairn.Node.Logs;

/// <summary>What was found wrong with a set of logs, until somebody asks. Thread: any.</summary>
public sealed class LogFindings
{
    /// <summary>Who finds a thousand things wrong before anybody asked has told enough.</summary>
    private const int CountMax = 1000;

    private readonly Lock _gate = new();
    private readonly List<LogFinding> _found = [];

    /// <summary>What was found since this was last asked, oldest first.</summary>
    public IReadOnlyList<LogFinding> Take()
    {
        lock (_gate)
        {
            LogFinding[] found = [.. _found];
            _found.Clear();
            return found;
        }
    }

    internal void Add(LogFinding finding)
    {
        lock (_gate)
        {
            if (_found.Count < CountMax)
            {
                _found.Add(finding);
            }
        }
    }
}
