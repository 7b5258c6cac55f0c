using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using Cairn.Bench.Micro;

// quick: a few seconds, prints MB/s, fails below the gate. stages [FOLDER]: CPU seconds a GiB, stage by stage.
// index [FOLDER]: what sealing the index costs. snapshot [FILES]: what a snapshot costs, 50 ms and 10 KiB at most.
// fold [FOLDER]: how fast a peer's operations are folded, 200,000/s in memory and 50,000/s into the index at least.
// rebuild FILES [FOLDER]: what it costs to make an index of so many files anew from two logs.
// home HOME VOLUME FILES: fills a volume of a node that is down, for bench/Start.
// Anything else: BenchmarkDotNet's own command line.
return args switch
{
    ["quick", ..] => QuickPipeline.Run(),
    ["stages", .. string[] where] => await QuickStages.Run(where is [string folder, ..] ? folder : Path.GetTempPath()),
    ["snapshot", .. string[] count] => count is [string files, ..]
        ? QuickSnapshot.Run(int.Parse(files, System.Globalization.CultureInfo.InvariantCulture))
        : QuickSnapshot.Run(),
    ["home", string home, string volume, string files] =>
        await QuickHome.Run(home, volume, int.Parse(files, System.Globalization.CultureInfo.InvariantCulture)),
    ["fold", .. string[] where] => QuickFold.Run(where is [string folder, ..] ? folder : Path.GetTempPath()),
    ["rebuild", string files, .. string[] where] => await QuickRebuild.Run(
        where is [string folder, ..] ? folder : Path.GetTempPath(),
        int.Parse(files, System.Globalization.CultureInfo.InvariantCulture)),
    ["index", .. string[] where] => QuickIndex.Run(where is [string folder, ..] ? folder : Path.GetTempPath()),
    _ => Benchmarks(args),
};

static int Benchmarks(string[] args)
{
    // In this process, so that measuring needs neither a second build nor a package source.
    string[] inProcess = args.Contains("--inProcess") ? args : [.. args, "--inProcess"];
    IEnumerable<Summary> summaries =
        BenchmarkSwitcher.FromAssembly(typeof(QuickPipeline).Assembly).Run(inProcess);
    bool allRan = summaries.All(summary =>
        !summary.HasCriticalValidationErrors && summary.Reports.All(report => report.Success));
    return allRan ? 0 : 1;
}
