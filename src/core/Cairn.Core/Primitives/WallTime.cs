using System.Globalization;

namespace Cairn.Core.Primitives;

/// <summary>A claim about the time of day, shown to people and never used to order anything.</summary>
/// <param name="UnixNanoseconds">Nanoseconds since 1970-01-01T00:00:00Z.</param>
public readonly record struct WallTime(long UnixNanoseconds) : IComparable<WallTime>
{
    private const long NanosecondsPerTick = 100;
    private const long NanosecondsPerSecond = 1_000_000_000;

    /// <summary>From a time with an offset, clamped to the years 1677 to 2262; finer than 100 ns is lost.</summary>
    public static WallTime From(DateTimeOffset time)
    {
        const long most = long.MaxValue / NanosecondsPerTick;
        long ticks = time.UtcTicks - DateTimeOffset.UnixEpoch.UtcTicks;
        return new(Math.Clamp(ticks, -most, most) * NanosecondsPerTick);
    }

    /// <summary>From seconds and nanoseconds, clamped alike: a file from Windows may be of 1601, one by mistake of 9999.</summary>
    public static WallTime From(long unixSeconds, uint nanoseconds)
    {
        const long most = (long.MaxValue / NanosecondsPerSecond) - 1;
        long clamped = Math.Clamp(unixSeconds, -most, most);
        return new((clamped * NanosecondsPerSecond) + (clamped == unixSeconds ? nanoseconds : 0));
    }

    /// <summary>As a UTC time, clamped to what .NET can hold.</summary>
    public DateTimeOffset ToDateTimeOffset() =>
        DateTimeOffset.UnixEpoch.AddTicks(UnixNanoseconds / NanosecondsPerTick);

    /// <inheritdoc/>
    public int CompareTo(WallTime other) => UnixNanoseconds.CompareTo(other.UnixNanoseconds);

    /// <inheritdoc/>
    public override string ToString() => ToDateTimeOffset().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);

    /// <summary>Earlier claim.</summary>
    public static bool operator <(WallTime left, WallTime right) => left.UnixNanoseconds < right.UnixNanoseconds;

    /// <summary>Later claim.</summary>
    public static bool operator >(WallTime left, WallTime right) => left.UnixNanoseconds > right.UnixNanoseconds;

    /// <summary>Earlier or same claim.</summary>
    public static bool operator <=(WallTime left, WallTime right) => left.UnixNanoseconds <= right.UnixNanoseconds;

    /// <summary>Later or same claim.</summary>
    public static bool operator >=(WallTime left, WallTime right) => left.UnixNanoseconds >= right.UnixNanoseconds;
}
