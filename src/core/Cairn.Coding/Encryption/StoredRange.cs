namespace Cairn.Coding.Encryption;

/// <summary>A range of stored (sealed) bytes.</summary>
/// <param name="Offset">Its first byte.</param>
/// <param name="Length">Bytes.</param>
public readonly record struct StoredRange(int Offset, int Length);
