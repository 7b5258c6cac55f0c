using Cairn.Core.Primitives;

namespace Cairn.Core.Tree.Returning;

/// <summary>An edit of an object that the tree did not know where the edit was applied, or that went into a folder of that kind.</summary>
/// <param name="By">The transaction. It may edit more: some of it may be there, and be condemned later.</param>
/// <param name="Object">The object.</param>
public readonly record struct MissedEdit(TransactionId By, ObjectId Object);
