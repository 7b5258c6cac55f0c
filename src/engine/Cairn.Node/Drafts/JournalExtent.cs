using Cairn.Node.Logs;
using Cairn.Storage.Journaling;

namespace Cairn.Node.Drafts;

/// <summary>Sealed bytes of one write in the journal; given back when no part of it is shown any more.</summary>
/// <param name="position">Where the record lies.</param>
/// <param name="entry">Its head, with run and nonce.</param>
internal sealed class JournalExtent(JournalPosition position, JournalEntry entry)
{
    private readonly JournalEntry _entry = entry;

    /// <summary>Where the record lies.</summary>
    public JournalPosition Position { get; } = position;

    /// <summary>Its head: what is needed to open it.</summary>
    public ref readonly JournalEntry Entry => ref _entry;

    /// <summary>Parts of it that an extent map shows.</summary>
    public int Pieces { get; set; }
}
