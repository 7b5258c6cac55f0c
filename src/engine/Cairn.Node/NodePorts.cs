using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Node.Ports;
using Cairn.Storage;
using Cairn.Storage.Ports;

namespace Cairn.Node;

/// <summary>The world, as a node reaches it: real in the daemon, simulated in the simulator.</summary>
public sealed record NodePorts
{
    /// <summary>The home folder.</summary>
    public required IDisk Disk { get; init; }

    /// <summary>Streams and datagrams to peers. The node disposes it when it stops.</summary>
    public required ITransport Transport { get; init; }

    /// <summary>Keys and random ids.</summary>
    public required IEntropy Entropy { get; init; }

    /// <summary>Monotonic time for timers, wall time for claims that are shown. Its timers fire on the engine's context.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>Work away from the loop.</summary>
    public required IWorkers Workers { get; init; }

    /// <summary>This node's identity key.</summary>
    public required IIdentity Identity { get; init; }

    /// <summary>Checks what others signed. Any thread.</summary>
    public SignatureCheck CheckSignature { get; init; } = Signatures.CheckEcdsa;

    /// <summary>Opens (or makes) a rebuildable index of a name ("volume-0f3a"); the node disposes it.</summary>
    public required Func<string, IIndexStore> OpenIndex { get; init; }

    /// <summary>Keeps the bytes given, over restarts, where <see cref="NodeOptions.SpaceBytes"/> comes from.</summary>
    public Func<long, Result<Unit, StoreError>> KeepSpace { get; init; } = static _ => Unit.Value;

    /// <summary>Runs what a store does behind its callers' backs: nobody waits for it here, so what escapes is reported.</summary>
    public void RunInBackground(Action work) => _ = Workers.Run(WorkPriority.Background, () =>
    {
        try
        {
            work();
        }
#pragma warning disable CA1031 // Reported like what escapes from a loop: nobody looks at the task.
        catch (Exception escaped)
#pragma warning restore CA1031
        {
            Workers.Start("background work", () => Task.FromException(escaped));
        }

        return Unit.Value;
    });

    /// <summary>Fresh random bytes.</summary>
    public byte[] RandomBytes(int length)
    {
        byte[] bytes = new byte[length];
        Entropy.Fill(bytes);
        return bytes;
    }

    /// <summary>A fresh random number.</summary>
    public ulong RandomUInt64() => BitConverter.ToUInt64(RandomBytes(sizeof(ulong)));
}
