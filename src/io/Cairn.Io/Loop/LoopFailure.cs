namespace Cairn.Io.Loop;

/// <summary>An exception that escaped a loop or a posted callback: a bug, reported and survived.</summary>
/// <param name="Name">The loop's name.</param>
/// <param name="Exception">What escaped.</param>
public readonly record struct LoopFailure(string Name, Exception Exception);
