namespace Cairn.Gateway.Control;

/// <summary>Which snapshots of a volume are made by themselves (<c>cairn snapshot schedule</c>).</summary>
/// <param name="Schedule">How many of each kind stay: "hourly 24, daily 30"; "off" for none.</param>
public sealed record ScheduleSummary(string Schedule);
