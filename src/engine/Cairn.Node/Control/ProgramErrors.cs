namespace Cairn.Node.Control;

/// <summary>Errors of the program itself that broke off a part of the engine: a loop that does nothing more, or a single task.</summary>
/// <remarks>The owner must know, for the rest goes on, and nothing looks wrong. Thread: the engine's loop.</remarks>
internal sealed class ProgramErrors(NodeDiary diary)
{
    private const int PartsMax = 20;
    private readonly SortedSet<string> _parts = new(StringComparer.Ordinal);

    /// <summary>What the owner is told; null while there was none.</summary>
    public NodeProblem? Problem => _parts.Count == 0 ? null : new NodeProblem(
        "program-error",
        $"An error in the program broke off: {string.Join(", ", _parts)}.",
        "Start the daemon again (`cairn down`, `cairn up --detach`), and report what `cairn logs` says.");

    /// <summary>A part was broken off.</summary>
    /// <param name="part">As its loop is called: "repair".</param>
    /// <param name="error">What escaped from it.</param>
    public void Note(string part, Exception error)
    {
        if (_parts.Count < PartsMax)
        {
            _parts.Add(part);
        }

        diary.Add(LogLevel.Error, "program", $"{part}: {error}");
    }
}
