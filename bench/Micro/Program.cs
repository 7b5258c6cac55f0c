using BenchmarkDotNet.Running;
using Cairn.Bench.Micro;

// quick: a few seconds, prints MB/s, fails below the gate. Anything else: BenchmarkDotNet's own command line.
return args is ["quick", ..] ? QuickPipeline.Run() : Benchmarks(args);

static int Benchmarks(string[] args)
{
    BenchmarkSwitcher.FromAssembly(typeof(QuickPipeline).Assembly).Run(args);
    return 0;
}
