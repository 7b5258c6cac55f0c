using System.Runtime.InteropServices;
using Cairn.Core.Primitives;
using Cairn.Fuse.Abi;
using Cairn.Node.Ports;
using Cairn.Node.Volumes;

namespace Cairn.Fuse.Session;

/// <summary>
/// Ends exchanges: at once when the volume has answered, else when it does, on whatever thread that is.
/// </summary>
/// <remarks>
/// Invariant: every exchange is ended exactly once, also when the volume or the encoding throws. The synchronous path
/// allocates nothing: encoders are static or bound once.
/// </remarks>
internal sealed class ReplyPath(Action<Exception> report, PendingChanges pending)
{
    /// <summary>Set when the channel is there.</summary>
    public Invalidation? Invalidation { get; set; }

    /// <summary>Ends the change that a request is, before its exchange ends.</summary>
    public void EndChange(IFuseExchange exchange)
    {
        if (PendingChanges.NodeOf(exchange) is { } node && pending.End(node))
        {
            Invalidation?.Tell(node, contentChanged: false);
        }
    }

    /// <summary>Answers with what the volume's call gives.</summary>
    /// <param name="exchange">The exchange to end.</param>
    /// <param name="call">The volume's answer.</param>
    /// <param name="encode">Writes the body; gives the reply's whole length, or a negative errno.</param>
    /// <param name="refused">Told when the kernel did not take a successful reply, so that what was opened can be
    /// released.</param>
    public void Complete<T>(
        IFuseExchange exchange,
        ValueTask<Result<T, VolumeError>> call,
        Func<IFuseExchange, T, int> encode,
        Action<T>? refused = null)
    {
        if (call.IsCompletedSuccessfully)
        {
            Finish(exchange, call.GetAwaiter().GetResult(), encode, refused);
        }
        else
        {
            _ = CompleteLater(exchange, call, encode, refused);
        }
    }

    /// <summary>Answers without a body: 0 or a positive errno.</summary>
    public static bool Error(IFuseExchange exchange, int errno) => Send(exchange, FuseOutHeader.Size, -errno);

    /// <summary>The body of a reply that has none.</summary>
    public static int Empty(IFuseExchange exchange, Unit unit) => FuseOutHeader.Size;

    /// <summary>Writes the header and ends the exchange.</summary>
    public static bool Send(IFuseExchange exchange, int count, int error)
    {
        var header = new FuseOutHeader
        {
            Length = (uint)count,
            Error = error,
            Unique = Header(exchange).Unique,
        };
        MemoryMarshal.Write(exchange.Reply.Span, in header);
        return exchange.Send(count);
    }

    private static FuseInHeader Header(IFuseExchange exchange) =>
        MemoryMarshal.Read<FuseInHeader>(exchange.Request.Span);

    private async Task CompleteLater<T>(
        IFuseExchange exchange,
        ValueTask<Result<T, VolumeError>> call,
        Func<IFuseExchange, T, int> encode,
        Action<T>? refused)
    {
        Result<T, VolumeError> result;
        try
        {
            result = await call.ConfigureAwait(false);
        }
#pragma warning disable CA1031 // The outermost frame of a request: a bug fails this request, not the drive.
        catch (Exception bug)
#pragma warning restore CA1031
        {
            report(bug);
            result = bug is OperationCanceledException ? VolumeError.Interrupted : VolumeError.InputOutput;
        }

        Finish(exchange, result, encode, refused);
    }

    private void Finish<T>(
        IFuseExchange exchange,
        in Result<T, VolumeError> result,
        Func<IFuseExchange, T, int> encode,
        Action<T>? refused)
    {
        int count = FuseOutHeader.Size;
        int error = 0;
        bool isOk = result.TryGet(out T? value, out VolumeError failure);
        try
        {
            int encoded = isOk ? encode(exchange, value!) : -Errno.Of(failure, Header(exchange).Opcode);
            (count, error) = encoded < 0 ? (FuseOutHeader.Size, encoded) : (encoded, 0);
        }
#pragma warning disable CA1031 // As above.
        catch (Exception bug)
#pragma warning restore CA1031
        {
            report(bug);
            error = -Errno.InputOutput;
        }

        EndChange(exchange);
        bool isTaken = Send(exchange, count, error);
        if (isOk && (!isTaken || error != 0))
        {
            refused?.Invoke(value!);
        }
    }
}
