using System.Globalization;

namespace Cairn.Cli.Demo;

/// <summary>A pool of real node processes on this machine: own homes, own ports on loopback, one mount each.</summary>
public sealed class DemoPool : IAsyncDisposable
{
    /// <summary>The volume that the demo makes.</summary>
    public const string Volume = "shared";

    /// <summary>Not reachable from other machines; the system chooses the port.</summary>
    private const string Loopback = "127.0.0.1:0";

    private readonly bool _keep;

    private DemoPool(string root, IReadOnlyList<DemoNode> nodes, bool keep)
    {
        Root = root;
        Nodes = nodes;
        _keep = keep;
    }

    /// <summary>The folder below which everything of the demo lies.</summary>
    public string Root { get; }

    /// <summary>The nodes, the founder first.</summary>
    public IReadOnlyList<DemoNode> Nodes { get; }

    /// <summary>Lays out a pool; nothing runs yet.</summary>
    /// <param name="folder">Where; null makes a new folder for temporary files.</param>
    /// <param name="nodeCount">How many nodes.</param>
    /// <param name="keep">Whether the folder stays when the demo ends.</param>
    public static DemoPool Lay(string? folder, int nodeCount, bool keep)
    {
        string root = folder is null
            ? Directory.CreateTempSubdirectory("cairn-demo-").FullName
            : Directory.CreateDirectory(Path.GetFullPath(folder)).FullName;
        IEnumerable<DemoNode> nodes = Enumerable.Range(1, nodeCount).Select(number => new DemoNode(root, number));
        return new DemoPool(root, [.. nodes], keep);
    }

    /// <summary>Founds the pool on the first node and joins the others by invite codes.</summary>
    /// <param name="space">What each gives.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <param name="environment">Variables for the daemons alone.</param>
    public async Task Start(
        string space, CancellationToken cancellation, params (string Name, string Value)[] environment)
    {
        DemoNode founder = Nodes[0];
        string kit = Path.Combine(Root, "recovery-kit.txt");
        await founder.Run(
            cancellation, "init", "--space", space, "--name", founder.Name, "--listen", Loopback, "--kit", kit);
        await founder.Start(cancellation, environment);
        foreach (DemoNode node in Nodes.Skip(1))
        {
            string code = (await founder.Run(cancellation, "invite", "--quiet")).Trim();
            await node.Run(cancellation, "join", code, "--space", space, "--name", node.Name, "--listen", Loopback);
            await node.Start(cancellation, environment);
        }
    }

    /// <summary>Makes the volume and mounts it once per node.</summary>
    public async Task Mount(CancellationToken cancellation)
    {
        await Nodes[0].Run(cancellation, "volume", "create", Volume);
        foreach (DemoNode node in Nodes)
        {
            await node.Run(cancellation, "mount", Volume, node.Mount, "--wait", "10");
        }
    }

    /// <summary>Waits until every node sees so many nodes online.</summary>
    public async Task WaitForOnline(int count, CancellationToken cancellation)
    {
        string wanted = count.ToString(CultureInfo.InvariantCulture);
        foreach (DemoNode node in Nodes.Where(node => node.ProcessId != 0))
        {
            await node.Run(cancellation, "wait", "--online", wanted, "--timeout", "30", "--quiet");
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(Nodes.Select(node => node.Stop()));
        foreach (DemoNode node in Nodes)
        {
            node.Dispose();
        }

        if (!_keep)
        {
            Directory.Delete(Root, recursive: true);
        }
    }
}
