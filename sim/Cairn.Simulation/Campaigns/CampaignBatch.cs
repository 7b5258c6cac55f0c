namespace Cairn.Simulation.Campaigns;

/// <summary>Several runs, some of them at once: each has its own thread, scheduler and world, and nothing is shared.</summary>
public static class CampaignBatch
{
    /// <summary>Runs them, and gives their reports in the order in which they were asked for.</summary>
    /// <param name="runs">What to run.</param>
    /// <param name="threads">How many at once.</param>
    /// <param name="listener">Told what happens, by all threads; nobody by default.</param>
    /// <param name="progress">Told each virtual hour how far a run is, by all threads; nobody by default.</param>
    /// <param name="cancellation">Begins no further run, and ends the wait for those that go on.</param>
    public static IEnumerable<RunReport> Run(
        IReadOnlyList<CampaignOptions> runs, int threads, Action<string>? listener = null,
        Action<RunProgress>? progress = null, CancellationToken cancellation = default)
    {
        TaskCompletionSource<RunReport>[] reports = [.. runs.Select(static _ => new TaskCompletionSource<RunReport>())];
        int next = -1;
        for (int i = 0; i < Math.Min(threads, runs.Count); i++)
        {
            new Thread(RunSome) { IsBackground = true, Name = $"simulation {i}" }.Start();
        }

        return reports.Select(report => report.Task.WaitAsync(cancellation).GetAwaiter().GetResult());

        void RunSome()
        {
            while (!cancellation.IsCancellationRequested)
            {
                int mine = Interlocked.Increment(ref next);
                if (mine >= runs.Count)
                {
                    return;
                }

                try
                {
                    reports[mine].SetResult(Campaign.Run(runs[mine], listener, progress));
                }
#pragma warning disable CA1031 // Whoever waits for the report gets what escaped.
                catch (Exception escaped)
#pragma warning restore CA1031
                {
                    reports[mine].SetException(escaped);
                }
            }
        }
    }
}
