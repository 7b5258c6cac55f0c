using System.CommandLine;
using Cairn.Cli.Commands;
using Cairn.Cli.Output;

namespace Cairn.Cli.Tests.Commands;

/// <summary>A home that does not come about leaves no trace.</summary>
public sealed class NewNodeTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-new-").FullName;

    private string Home => Path.Combine(_folder, "home");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(ExitCode.Usage, "init --name a/b")]
    [InlineData(ExitCode.Usage, "init --name @x")]
    [InlineData(ExitCode.Usage, "init --space 1MiB")]
    [InlineData(ExitCode.Failed, "init --space 100PiB")]
    [InlineData(ExitCode.Failed, "join nonsense")]
    [InlineData(ExitCode.Failed, "recover nonsense")]
    public async Task What_failed_leaves_nothing(int exit, string words)
    {
        Assert.Equal(exit, await Run(words));
        Assert.False(Directory.Exists(Home));
        Directory.CreateDirectory(Home);
        string note = Path.Combine(Home, "note");
        await File.WriteAllTextAsync(note, "mine", TestContext.Current.CancellationToken);
        Assert.Equal(exit, await Run(words));
        Assert.Equal([note], Directory.GetFileSystemEntries(Home));
    }

    /// <summary>An earlier attempt may have been heard: this one has to be the same machine.</summary>
    [Fact]
    public async Task Keys_that_were_there_stay()
    {
        Directory.CreateDirectory(HomeFolder.Keys(Home));
        Assert.Equal(ExitCode.Failed, await Run("join nonsense"));
        Assert.Equal([HomeFolder.Keys(Home)], Directory.GetFileSystemEntries(Home));
        Assert.NotEmpty(Directory.GetFileSystemEntries(HomeFolder.Keys(Home)));
    }

    private Task<int> Run(string words) => RootCommands
        .Create()
        .Parse(["--home", Home, "--quiet", .. words.Split(' '), "--listen", "127.0.0.1:0"], RootCommands.Reading)
        .InvokeAsync(new InvocationConfiguration(), TestContext.Current.CancellationToken);
}
