namespace Cairn.Core.Tree;

/// <summary>How much there is in a volume.</summary>
/// <param name="Objects">Objects that can be reached, the root not counted.</param>
/// <param name="SizeBytes">The lengths of all their heads together.</param>
public readonly record struct TreeTotals(long Objects, long SizeBytes);
