namespace Cairn.Core.Tests.Log;

/// <summary>Committed bytes of formats: tests/Cairn.Core.Tests/Golden/*.hex, which must decode for ever.</summary>
internal static class Golden
{
    internal static byte[] Read(string name)
    {
        string path = Path.Combine(Root(), "tests", "Cairn.Core.Tests", "Golden", name + ".hex");
        Assert.True(File.Exists(path), $"{path} is missing; a golden file is written once and never changed");
        return Convert.FromHexString(string.Concat(File.ReadAllText(path).Where(char.IsAsciiHexDigit)));
    }

    private static string Root()
    {
        string? at = AppContext.BaseDirectory;
        while (at is not null && !File.Exists(Path.Combine(at, "Cairn.slnx")))
        {
            at = Path.GetDirectoryName(at);
        }

        return at ?? throw new InvalidOperationException("the repository's root was not found");
    }
}
