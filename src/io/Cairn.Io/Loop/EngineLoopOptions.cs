namespace Cairn.Io.Loop;

/// <summary>How many threads work for the engine.</summary>
public sealed record EngineLoopOptions
{
    /// <summary>Threads for work that somebody waits for, mostly blocked in fsync or reads. Default 6. Made when first needed.</summary>
    public int ForegroundThreads { get; init; } = 6;

    /// <summary>Threads for work nobody waits for, mostly burning CPU. Default: the cores, at most 4. Made when first needed.</summary>
    public int BackgroundThreads { get; init; } = Math.Clamp(Environment.ProcessorCount, 1, 4);

    /// <summary>The nice value of background threads, 0 to 19. Default 10: they get a tenth of a contended core.</summary>
    public int BackgroundNice { get; init; } = 10;
}
