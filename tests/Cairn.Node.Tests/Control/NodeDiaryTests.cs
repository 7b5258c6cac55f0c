using Cairn.Node.Control;
using Cairn.Simulation.Time;

namespace Cairn.Node.Tests.Control;

public sealed class NodeDiaryTests
{
    private readonly SimulatedScheduler _scheduler = new();
    private readonly NodeDiary _diary;

    public NodeDiaryTests() => _diary = new NodeDiary(_scheduler.CreateProcess("desk").Time);

    private string[] Texts => [.. _diary.After(0, 100).Select(line => line.Text)];

    /// <summary>A full disk fails every five seconds: that neither floods the diary nor drives the rest out of it.</summary>
    [Fact]
    public void An_error_that_repeats_is_written_once_a_minute_and_counted()
    {
        for (int i = 0; i < 13; i++)
        {
            _diary.Add(LogLevel.Error, "members", "no space");
            _diary.Add(LogLevel.Warning, "volumes", "block 3 cannot be read");
            _scheduler.RunFor(TimeSpan.FromSeconds(5));
        }

        Assert.Equal(
            [
                "no space", "block 3 cannot be read",
                "no space (repeated 12 times)", "block 3 cannot be read (repeated 12 times)",
            ],
            Texts);
    }

    [Fact]
    public void An_error_that_comes_back_after_a_while_is_written_as_at_first()
    {
        _diary.Add(LogLevel.Error, "members", "no space");
        _scheduler.RunFor(NodeDiary.HeldBackFor);
        _diary.Add(LogLevel.Error, "members", "no space");
        Assert.Equal(["no space", "no space"], Texts);
    }

    [Fact]
    public void What_is_no_warning_and_what_another_source_says_is_always_written()
    {
        _diary.Add(LogLevel.Info, "peers", "connected with lap");
        _diary.Add(LogLevel.Info, "peers", "connected with lap");
        _diary.Add(LogLevel.Error, "members", "no space");
        _diary.Add(LogLevel.Error, "pool log", "no space");
        Assert.Equal(["connected with lap", "connected with lap", "no space", "no space"], Texts);
    }

    [Fact]
    public void Any_number_of_different_errors_is_written()
    {
        for (int i = 0; i < 2500; i++)
        {
            _diary.Add(LogLevel.Error, "volumes", $"block {i} cannot be read");
        }

        Assert.Equal("block 2499 cannot be read", _diary.After(0, 1).Single().Text);
        Assert.Equal(2000, _diary.After(0, int.MaxValue).Count);
    }
}
