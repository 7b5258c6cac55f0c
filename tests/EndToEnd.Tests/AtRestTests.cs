using System.Text;

namespace Cairn.EndToEnd.Tests;

/// <summary>What users write and how they call it is nowhere to be read in a node's home.</summary>
[Collection("pool")]
public sealed class AtRestTests(PoolFixture fixture)
{
    private const string Word = "Zwetschgendatschi";

    [Fact]
    public async Task No_file_of_a_home_shows_names_or_contents()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        string folder = Path.Combine(fixture.Node(1).Mount, Word + "-folder");
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, Word + "-inline"), $"{Word} in the manifest", cancellation);
        string large = string.Concat(Enumerable.Repeat($"{Word} in a chunk. ", 20_000));
        await File.WriteAllTextAsync(Path.Combine(folder, Word + "-large"), large, cancellation);
        File.CreateSymbolicLink(Path.Combine(folder, Word + "-link"), Word + "-target");
        await File.WriteAllTextAsync(Path.Combine(folder, "old"), $"{Word} overwritten", cancellation);
        File.Move(Path.Combine(folder, "old"), Path.Combine(folder, Word + "-renamed"));

        // A draft that is not published yet lies in the journal.
        await using FileStream open = File.Create(Path.Combine(folder, Word + "-open"));
        await open.WriteAsync(Encoding.UTF8.GetBytes($"{Word} still being written"), cancellation);
        open.Flush(flushToDisk: true);
        for (int number = 1; number <= 4; number++)
        {
            string seen = Path.Combine(fixture.Node(number).Mount, Word + "-folder", Word + "-renamed");
            await Eventually.Holds(
                () => File.ReadAllText(seen).StartsWith(Word, StringComparison.Ordinal), "it arrives");
        }

        await fixture.Node(1).Run(cancellation, "wait", "--safe", "--quiet", "--timeout", "30");
        string homes = string.Join(' ', Enumerable.Range(1, 4).Select(number => $"'{fixture.Node(number).Home}'"));
        string indexes = await Shell.Run($"find {homes} -name '*-wal' -size +0", folder);
        Assert.NotEmpty(indexes);
        string grep = $"grep --recursive --text --files-with-matches --devices=skip {Word} {homes} || [ $? = 1 ]";
        Assert.Empty(await Shell.Run(grep, folder));
    }
}
