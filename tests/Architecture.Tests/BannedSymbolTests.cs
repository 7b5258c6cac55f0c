namespace Cairn.Architecture.Tests;

/// <summary>What a room must not touch, found in metadata: the build's analyzer misses types used only in signatures.</summary>
public sealed class BannedSymbolTests
{
    private static readonly string[] Everywhere =
    [
        "System.DateTime.get_Now", "System.DateTime.get_UtcNow", "System.DateTimeOffset.get_Now",
        "System.DateTimeOffset.get_UtcNow", "System.Environment.get_TickCount", "System.Diagnostics.Stopwatch.",
        "System.Random.", "System.Guid.NewGuid", "System.HashCode.",
        "System.Security.Cryptography.RandomNumberGenerator.",
        "System.Threading.Thread.", "System.Threading.ThreadPool.", "System.Threading.Tasks.Parallel.",
        "System.Threading.Timer.", "System.Threading.Tasks.Task.Run", "System.Threading.Tasks.Task.ConfigureAwait",
        "System.Threading.Tasks.ValueTask.ConfigureAwait", "System.Runtime.CompilerServices.ConfiguredTaskAwaitable",
        "System.Runtime.CompilerServices.ConfiguredValueTaskAwaitable",
        "System.IO.File.", "System.IO.FileInfo.", "System.IO.FileStream.", "System.IO.Directory.",
        "System.IO.DirectoryInfo.",
        "System.IO.RandomAccess.", "System.IO.DriveInfo.", "System.Net.Sockets.", "System.Net.Http.",
        "System.Net.Security.", "System.Diagnostics.Process.", "System.Console.",
        "System.Runtime.InteropServices.NativeLibrary.", "System.Runtime.InteropServices.LibraryImportAttribute.",
    ];

    private static readonly string[] OnlyInTheEngine =
    [
        "System.Runtime.CompilerServices.AsyncStateMachineAttribute.", "System.Threading.Tasks.Task.",
        "System.Threading.Lock.",
        "System.Threading.Monitor.", "System.TimeProvider.", "System.Threading.CancellationToken.",
    ];

    [Theory]
    [InlineData("Cairn.Core")]
    [InlineData("Cairn.Coding")]
    [InlineData("Cairn.Storage")]
    [InlineData("Cairn.Node")]
    public void Core_and_engine_reach_the_world_only_through_ports(string project) =>
        Findings.None(Banned(project, Everywhere));

    [Theory]
    [InlineData("Cairn.Core")]
    [InlineData("Cairn.Coding")]
    public void The_core_never_awaits_locks_or_asks_for_the_time(string project) =>
        Findings.None(Banned(project, OnlyInTheEngine));

    [Theory]
    [InlineData("Cairn.Fuse")]
    [InlineData("Cairn.Gateway")]
    public void Doors_open_no_socket_file_or_library(string project) => Findings.None(Banned(
        project,
        [
            "System.Net.Sockets.Socket.", "System.IO.FileStream.", "System.IO.RandomAccess.",
            "System.Diagnostics.Process.",
            "System.Runtime.InteropServices.NativeLibrary.", "System.Runtime.InteropServices.LibraryImportAttribute.",
        ]));

    [Fact]
    public void Only_the_io_room_calls_the_system()
    {
        IEnumerable<string> callers = Repository.Files("src", "*.cs")
            .Where(path => !path.StartsWith("src/io/", StringComparison.Ordinal))
            .Where(path => Repository.Text(path).Contains("[LibraryImport(", StringComparison.Ordinal)
                || Repository.Text(path).Contains("[DllImport(", StringComparison.Ordinal));
        Findings.None(callers);
    }

    [Fact]
    public void The_check_sees_a_type_that_stands_only_in_a_signature() =>
        Assert.Contains("System.Net.Sockets.Socket.", UsedSymbols.Of(Repository.Assembly("Cairn.Io")));

    private static IEnumerable<string> Banned(string project, string[] prefixes) =>
        UsedSymbols.Of(Repository.Assembly(project))
            .Where(symbol => prefixes.Any(prefix => symbol.StartsWith(prefix, StringComparison.Ordinal)));
}
