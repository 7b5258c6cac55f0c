using System.Text.Json;
using Cairn.Cli.Output;

namespace Cairn.EndToEnd.Tests;

/// <summary>One machine removes everything; all owners are told, and one of them undoes it for all.</summary>
[Collection("pool")]
public sealed class BrakeTests(PoolFixture fixture)
{
    /// <summary>A smaller volume is never braked.</summary>
    private const int Files = 1001;

    [Fact]
    public async Task What_a_machine_removed_is_held_and_undone_by_another()
    {
        string[] drives = [await Mount(1), await Mount(2)];
        string folder = Path.Combine(drives[0], "photos");
        Directory.CreateDirectory(folder);
        for (int file = 0; file < Files; file++)
        {
            await File.WriteAllTextAsync(
                Path.Combine(folder, $"p{file}"), $"photo {file}", TestContext.Current.CancellationToken);
        }

        // With their content: what comes for a removed name brings it back, and the folder would not be empty.
        await Eventually.Holds(() => FilesIn(drives[1]) == Files && AllHaveContent(drives[1]), "the files arrive");
        Directory.Delete(Path.Combine(drives[1], "photos"), recursive: true);
        string ruined = fixture.Node(2).Name;
        await Eventually.Holds(() => Braked(3) == ruined && Braked(2) == ruined, "everybody is told");
        Assert.False(Directory.Exists(folder));
        Assert.Contains(
            $"{ruined} removed or rewrote 100 % of 'photos'", await fixture.Node(4).Must("status"),
            StringComparison.Ordinal);

        await fixture.Node(3).Must("brake", "undo", "photos", ruined);
        await Eventually.Holds(
            () => FilesIn(drives[0]) == Files && FilesIn(drives[1]) == Files
                && File.ReadAllText(Path.Combine(folder, "p7")) == "photo 7",
            "all is back");
        await Eventually.Holds(() => Braked(1) is null && Braked(3) is null, "the undoing is not braked");

        await fixture.Node(4).MustRefuse(ExitCode.NotFound, "is held", "brake", "release", "photos", ruined);
        foreach (string drive in drives)
        {
            await fixture.Node(1 + Array.IndexOf(drives, drive)).Must("umount", drive);
        }

        await fixture.Node(1).Must("volume", "rm", "photos", "--yes");
    }

    private static int FilesIn(string drive) =>
        Directory.Exists(Path.Combine(drive, "photos")) ? Directory.GetFiles(Path.Combine(drive, "photos")).Length : 0;

    private static bool AllHaveContent(string drive) =>
        new DirectoryInfo(Path.Combine(drive, "photos")).EnumerateFiles().All(file => file.Length > 0);

    private async Task<string> Mount(int node)
    {
        string drive = Path.Combine(fixture.Pool.Root, $"photos{node}");
        if (node == 1)
        {
            await fixture.Node(1).Must("volume", "create", "photos");
        }

        await fixture.Node(node).Must("mount", "photos", drive, "--wait", "10");
        return drive;
    }

    /// <summary>Who is held, as a node's daemon says; null for nobody.</summary>
    private string? Braked(int node)
    {
        using JsonDocument held = JsonDocument.Parse(fixture.Node(node).Ask("/v1/brake?volume=photos"));
        return held.RootElement.EnumerateArray().Select(member => member.GetProperty("nodeName").GetString())
            .SingleOrDefault();
    }
}
