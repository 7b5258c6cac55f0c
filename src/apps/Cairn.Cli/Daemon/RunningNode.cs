using Cairn.Core.Primitives;
using Cairn.Io.Identity;
using Cairn.Node;
using Cairn.Node.Control;
using Cairn.Node.Engine;

namespace Cairn.Cli.Daemon;

/// <summary>An open node in its world, and the order in which the two begin and end.</summary>
public sealed class RunningNode : IAsyncDisposable
{
    private RunningNode(NodeWorld world, CairnNode node)
    {
        World = world;
        Node = node;
    }

    /// <summary>Its disk, network and loop.</summary>
    public NodeWorld World { get; }

    /// <summary>The engine; called on the world's loop.</summary>
    public CairnNode Node { get; }

    /// <summary>Opens a home and starts its engine.</summary>
    /// <param name="home">The node's home, which no daemon runs on.</param>
    /// <param name="config">Its settings.</param>
    /// <param name="identity">Its key, which this takes over.</param>
    /// <exception cref="CommandException">The node cannot run; the message says why and what to do.</exception>
    public static async Task<RunningNode> Open(string home, HomeConfig config, FileIdentity identity)
    {
        NodeWorld world = NodeWorld.Open(home, config, identity);
        try
        {
            Result<CairnNode, ControlError> opened = await world.Loop.Call(() =>
            {
                Result<CairnNode, ControlError> node = CairnNode.Open(world.Ports, world.Options, EngineVolumes.Open);
                if (node.IsOk)
                {
                    world.Failed = failure => node.Value.NoteFailure(failure.Name, failure.Exception);
                    node.Value.Start();
                }

                return Task.FromResult(node);
            });
            if (!opened.TryGet(out CairnNode? running, out ControlError refused))
            {
                throw new CommandException(refused.Message);
            }

            world.GiveTransport();
            return new RunningNode(world, running);
        }
        catch
        {
            await world.DisposeAsync();
            throw;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await World.Loop.Call(async () =>
        {
            await Node.DisposeAsync();
            return true;
        });
        await World.DisposeAsync();
    }
}
