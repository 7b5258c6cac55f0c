namespace Cairn.EndToEnd.Tests;

/// <summary>What a `.cairnignore` keeps on one machine, through real mounts.</summary>
[Collection("pool")]
public sealed class LocalFilesTests(PoolFixture fixture)
{
    [Fact]
    public async Task Ignored_files_stay_here_and_a_save_by_rename_is_published()
    {
        string here = Path.Combine(fixture.Node(1).Mount, "ignoring");
        string there = Path.Combine(fixture.Node(3).Mount, "ignoring");
        Directory.CreateDirectory(here);
        await Shell.Run(
            """
            printf '*.tmp\n/out/\n!keep.tmp\n' > .cairnignore
            echo first > doc.txt; echo local > a.tmp; echo shared > keep.tmp
            mkdir out; echo object > out/x.o; ln -s x.o out/link; mv out/x.o out/y.o
            test "$(ls -A | sort | tr '\n' ' ')" = ".cairnignore a.tmp doc.txt keep.tmp out "
            cp doc.txt doc.tmp; echo second >> doc.tmp; mv doc.tmp doc.txt
            test "$(cat doc.txt)" = "$(printf 'first\nsecond')"; test ! -e doc.tmp; test "$(stat -c %s doc.txt)" = 13
            cp doc.txt old.txt; mv old.txt old.tmp; test "$(cat old.tmp)" = "$(cat doc.txt)"
            mkdir moved; echo f > moved/f; mv moved moved.tmp; test "$(cat moved.tmp/f)" = f
            ! rmdir out; find . -name '*.o' | grep -qx ./out/y.o
            """, here);
        string saved = Path.Combine(there, "doc.txt");
        await Eventually.Holds(() => File.ReadAllText(saved) == "first\nsecond\n", "the save arrives");
        await Eventually.Holds(
            () => File.Exists(Path.Combine(there, "keep.tmp")) && !Directory.Exists(Path.Combine(there, "moved")),
            "what is shared, and no more, is there");
        string[] seen = [.. Directory.GetFileSystemEntries(there).Select(entry => Path.GetFileName(entry))];
        Assert.Equal([".cairnignore", "doc.txt", "keep.tmp"], seen.Order(StringComparer.Ordinal));
        await Shell.Run("rm -r out moved.tmp a.tmp old.tmp; test \"$(ls)\" = \"$(printf 'doc.txt\nkeep.tmp')\"", here);
    }
}
