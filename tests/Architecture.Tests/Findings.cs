namespace Cairn.Architecture.Tests;

/// <summary>Reports every finding, not the first few.</summary>
internal static class Findings
{
    /// <summary>Fails with one line for each finding.</summary>
    internal static void None(IEnumerable<string> found)
    {
        string[] all = [.. found];
        Assert.True(all.Length == 0, $"{all.Length} findings:\n{string.Join('\n', all)}");
    }
}
