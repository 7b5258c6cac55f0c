using Cairn.Core.Primitives;

namespace Cairn.Core.Rights;

/// <summary>What the limits of folders say about one member, for one transaction.</summary>
/// <param name="MayEdit">Of each folder that anything is said of, whether it may.</param>
/// <param name="After">
/// What the transaction must have seen to be obeyed: one for each folder that it may not edit, and the last renewal.
/// </param>
public sealed record FolderVerdicts(
    IReadOnlyDictionary<ObjectId, bool> MayEdit, IReadOnlyCollection<TransactionId> After)
{
    /// <summary>Nothing is limited.</summary>
    public static FolderVerdicts None { get; } = new(new SortedDictionary<ObjectId, bool>(), []);

    /// <summary>Whether there is any folder that it may not edit.</summary>
    public bool IsLimited => After.Count > 0;
}
