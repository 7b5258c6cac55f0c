using BenchmarkDotNet.Attributes;

namespace Cairn.Bench.Micro;

/// <summary>The parts of the write path's work on bytes, and all of it: 16 MiB a call, one thread.</summary>
[MemoryDiagnoser]
public class ChunkPipelineBenchmark
{
    private const int DataBytes = 16 * 1024 * 1024;

    private readonly ChunkPipeline _pipeline = new(DataBytes);

    [Benchmark]
    public int Cut() => _pipeline.Cut();

    [Benchmark]
    public ulong Identify() => _pipeline.Identify();

    [Benchmark]
    public ulong Address() => _pipeline.Address();

    [Benchmark]
    public ulong Encode() => _pipeline.Encode();

    [Benchmark(Baseline = true)]
    public ulong All() => _pipeline.Run();
}
