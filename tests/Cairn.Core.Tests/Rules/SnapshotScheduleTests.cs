using Cairn.Core.Primitives;
using Cairn.Core.Rules;

namespace Cairn.Core.Tests.Rules;

public sealed class SnapshotScheduleTests
{
    private static readonly WallTime Friday =
        WallTime.From(new DateTimeOffset(2026, 11, 20, 10, 42, 7, TimeSpan.Zero));

    [Theory]
    [InlineData("off")]
    [InlineData("hourly 24")]
    [InlineData("hourly 24, daily 30, weekly 8, monthly 12")]
    public void What_is_read_is_shown_again(string text) =>
        Assert.Equal(text, SnapshotSchedule.Parse(text)!.ToString());

    [Theory]
    [InlineData("")]
    [InlineData("hourly")]
    [InlineData("hourly 0")]
    [InlineData("hourly -1")]
    [InlineData("hourly 1001")]
    [InlineData("hourly 1, hourly 2")]
    [InlineData("sometimes 3")]
    public void Anything_else_is_refused(string text) => Assert.Null(SnapshotSchedule.Parse(text));

    [Fact]
    public void Each_period_is_due_once()
    {
        SnapshotSchedule schedule = SnapshotSchedule.Parse("hourly 2, daily 2, weekly 2, monthly 2")!;
        string[] due = [.. schedule.PlanAt(Friday, []).Due];
        Assert.Equal(
            ["hourly-20261120T1000Z", "daily-20261120T0000Z", "weekly-20261116T0000Z", "monthly-20261101T0000Z"], due);
        Assert.Empty(schedule.PlanAt(Friday, due).Due);
        Assert.Empty(schedule.PlanAt(Friday, [.. due.Select(name => name + "-0badcafe")]).Due);
        WallTime later = new(Friday.UnixNanoseconds + 3_600_000_000_000);
        Assert.Equal(["hourly-20261120T1100Z"], schedule.PlanAt(later, due).Due);
    }

    [Fact]
    public void The_oldest_periods_go_with_all_that_was_made_in_them()
    {
        SnapshotSchedule.Plan plan = SnapshotSchedule.Parse("hourly 3")!.PlanAt(
            Friday,
            [
                "hourly-20261120T1000Z", "hourly-20261120T0900Z", "hourly-20261120T0900Z-0badcafe",
                "hourly-20261120T0700Z", "hourly-20261120T0600Z", "hourly-20261120T0600Z-0badcafe",
            ]);
        Assert.Empty(plan.Due);
        Assert.Equal(["hourly-20261120T0600Z", "hourly-20261120T0600Z-0badcafe"], plan.Expired);
    }

    /// <summary>People's own snapshots, kinds the schedule does not name, and a clock that is or was wrong.</summary>
    [Fact]
    public void What_is_none_of_its_business_stays()
    {
        string[] names =
        [
            "hourly-20261120T1000Z", "hourly-news", "before-upgrade", "hourly-20261120T0600Zulu",
            "daily-20251119T0000Z", "hourly-20281120T1000Z", "hourly-20281120T1100Z",
        ];
        SnapshotSchedule.Plan plan = SnapshotSchedule.Parse("hourly 1")!.PlanAt(Friday, names);
        Assert.Empty(plan.Due);
        Assert.Empty(plan.Expired);
        plan = SnapshotSchedule.Off.PlanAt(Friday, names);
        Assert.Empty(plan.Due);
        Assert.Empty(plan.Expired);
    }
}
