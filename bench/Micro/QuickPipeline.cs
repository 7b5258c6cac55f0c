using System.Globalization;

namespace Cairn.Bench.Micro;

/// <summary>The gate on one core in a few seconds: chunk + both hashes + encrypt must reach 450 MB/s.</summary>
internal static class QuickPipeline
{
    private const double GateMegabytesPerSecond = 450;
    private const int DataBytes = 128 * 1024 * 1024;
    private const int Rounds = 5;

    public static int Run()
    {
        ChunkPipeline pipeline = new(DataBytes);
        Show("cut", Measure(() => pipeline.Cut()));
        Show("chunk id (HMAC-SHA256)", Measure(() => pipeline.Identify()));
        Show("address (SHA-256)", Measure(() => pipeline.Address()));
        Show("encrypt + address", Measure(() => pipeline.Encode()));
        double all = Measure(() => pipeline.Run());
        Show($"chunk + both hashes + encrypt, {pipeline.Chunks} chunks", all);
        bool reached = all >= GateMegabytesPerSecond;
        Console.WriteLine($"gate {GateMegabytesPerSecond} MB/s: {(reached ? "reached" : "MISSED")}");
        return reached ? 0 : 1;
    }

    /// <summary>
    /// The median of the rounds in MB (10^6) per second of processor time, after one round to warm up.
    /// </summary>
    /// <remarks>
    /// Processor time, not the clock on the wall: the gate is for one core, and other programs run too.
    /// </remarks>
    private static double Measure(Action round)
    {
        round();
        List<double> rates = [];
        for (int i = 0; i < Rounds; i++)
        {
            TimeSpan start = Environment.CpuUsage.TotalTime;
            round();
            rates.Add(DataBytes / 1e6 / (Environment.CpuUsage.TotalTime - start).TotalSeconds);
        }

        rates.Sort();
        return rates[Rounds / 2];
    }

    private static void Show(string what, double rate) =>
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{what,-48} {rate,8:F0} MB/s"));
}
