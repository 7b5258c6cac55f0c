using System.Globalization;
using System.Text;
using Cairn.Io.Index;
using Cairn.Node.Ports;

namespace Cairn.Io.Tests.Index;

public sealed class CleanMarkTests : IDisposable
{
    private const int Rows = 2000;

    private readonly TemporaryFolder _folder = new();

    private string Index => _folder["index"];

    private string Mark => Index + "-clean";

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_mark_is_there_after_a_run_and_gone_before_the_first_change()
    {
        Fill();
        Assert.True(File.Exists(Mark));
        using (var store = new SqliteIndexStore(Index))
        {
            Assert.True(store.Get(Key(1)).IsOk);
            Assert.True(File.Exists(Mark));
            Assert.True(store.Apply(Changes(store)).IsOk);
        }

        Assert.True(File.Exists(Mark));
        using (var store = new SqliteIndexStore(Index))
        {
            Assert.True(store.Clear().IsOk);
            Assert.False(File.Exists(Mark));
        }

        IEnumerable<IndexChange> Changes(SqliteIndexStore store)
        {
            Assert.False(File.Exists(Mark));
            yield return new IndexChange(Key(1), null);
        }
    }

    [Fact]
    public void After_a_clean_stop_no_page_is_walked_and_damage_is_met_when_it_is_read()
    {
        Fill();
        Damage(keepTimes: true);
        using (var store = new SqliteIndexStore(Index))
        {
            Assert.True(store.Get(Key(0)).IsOk);
            Assert.False(store.Scan(default, default, Rows).IsOk);
        }

        // What was met is walked for at the next start.
        Assert.False(File.Exists(Mark));
        using var again = new SqliteIndexStore(Index);
        Assert.False(again.Get(Key(0)).IsOk);
    }

    [Fact]
    public void A_view_that_meets_damage_leaves_no_mark()
    {
        Fill();
        Damage(keepTimes: true);
        using (var store = new SqliteIndexStore(Index))
        {
            using IIndexStore view = store.View().Value;
            Assert.False(view.Scan(default, default, Rows).IsOk);
        }

        Assert.False(File.Exists(Mark));
    }

    [Fact]
    public void A_file_that_was_written_since_is_walked()
    {
        Fill();
        Damage(keepTimes: false);
        using var store = new SqliteIndexStore(Index);
        Assert.False(store.Get(Key(0)).IsOk);
    }

    [Fact]
    public void A_run_that_was_killed_leaves_no_mark()
    {
        Fill();
        using var store = new SqliteIndexStore(Index);
        Assert.True(store.Apply([new IndexChange(Key(1), new byte[] { 2 })]).IsOk);
        string[] left = [.. Directory.GetFiles(_folder.Path).Select(static file => Path.GetFileName(file))];
        Assert.Contains("index-wal", left);
        Assert.DoesNotContain("index-clean", left);
    }

    [Theory]
    [InlineData(-6, true)]
    [InlineData(-8, false)]
    [InlineData(1, false)]
    public void A_week_after_the_last_walk_the_pages_are_walked_again(int days, bool isTrusted)
    {
        Fill();
        Damage(keepTimes: true);
        string[] lines = File.ReadAllText(Mark).Split('\n');
        lines[3] = DateTime.UtcNow.AddDays(days).Ticks.ToString(CultureInfo.InvariantCulture);
        File.WriteAllText(Mark, string.Join('\n', lines));
        using var store = new SqliteIndexStore(Index);
        Assert.Equal(isTrusted, store.Get(Key(0)).IsOk);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(10)]
    [InlineData(60)]
    public void A_mark_that_is_half_there_is_none(int bytesLeft)
    {
        Fill();
        Damage(keepTimes: true);
        byte[] mark = File.ReadAllBytes(Mark);
        Assert.InRange(mark.Length, bytesLeft + 1, 256);
        File.WriteAllBytes(Mark, mark[..bytesLeft]);
        using var store = new SqliteIndexStore(Index);
        Assert.False(store.Get(Key(0)).IsOk);
    }

    private static byte[] Key(int i) => Encoding.ASCII.GetBytes($"key {i:d6}");

    private void Fill()
    {
        using var store = new SqliteIndexStore(Index);
        Assert.True(store.Apply(Enumerable.Range(0, Rows).Select(i => new IndexChange(Key(i), new byte[50]))).IsOk);
    }

    /// <summary>Ruins the last pages, which no look at the first key reads.</summary>
    private void Damage(bool keepTimes)
    {
        DateTime written = File.GetLastWriteTimeUtc(Index);
        byte[] bytes = File.ReadAllBytes(Index);
        bytes.AsSpan(bytes.Length - (5 * 8192)).Fill(0xA5);
        File.WriteAllBytes(Index, bytes);
        File.SetLastWriteTimeUtc(Index, keepTimes ? written : written.AddSeconds(1));
    }
}
