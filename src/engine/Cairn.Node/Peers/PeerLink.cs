using System.Buffers;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Ports;

namespace Cairn.Node.Peers;

/// <summary>One connection to one member, after the handshake: frames out in order, requests matched with answers.</summary>
/// <remarks>
/// Small messages go before chunks that wait. A bad frame, an unexpected answer or the end of the stream closes the link;
/// every open request is then answered with nothing. So does a peer that asks for more than it takes. Thread: the engine's loop.
/// </remarks>
internal sealed class PeerLink
{
    /// <summary>Small messages that wait to be sent: far above what windows let wait, and a bound to what a peer can ask for.</summary>
    private const long SmallBytesMax = 128L << 20;

    private readonly IConnection _connection;
    private readonly Queue<Outgoing> _small = new();
    private readonly Queue<Outgoing> _large = new();
    private readonly Dictionary<ulong, Pending> _pending = [];
    private readonly TimeProvider _time;
    private TaskCompletionSource? _wake;
    private ulong _nextRequest = 1;
    private long _smallBytes;
    private bool _isOverfull;
    private readonly long _made;
    private long _lastHeard;

    /// <summary>Takes over a connection whose peer is known to be welcome.</summary>
    public PeerLink(IConnection connection, bool isDialer, ushort version, TimeProvider time)
    {
        _connection = connection;
        _time = time;
        _lastHeard = time.GetTimestamp();
        _made = _lastHeard;
        IsDialer = isDialer;
        Version = version;
    }

    /// <summary>Who is at the other end.</summary>
    public NodeId Peer => _connection.Peer.Node;

    /// <summary>Where it is.</summary>
    public System.Net.IPEndPoint RemoteAddress => _connection.RemoteAddress;

    /// <summary>Whether this side made the connection.</summary>
    public bool IsDialer { get; }

    /// <summary>Since when it is there.</summary>
    public TimeSpan Age => _time.GetElapsedTime(_made);

    /// <summary>The negotiated protocol version.</summary>
    public ushort Version { get; }

    /// <summary>Whether it has ended.</summary>
    public bool IsClosed { get; private set; }

    /// <summary>Why it ended, for people.</summary>
    public string CloseReason { get; private set; } = string.Empty;

    /// <summary>What the peer did that the protocol does not allow, or said that this node did; null when it just ended.</summary>
    public GoodbyeReason? Fault { get; private set; }

    /// <summary>Why the peer ended it, if it said so.</summary>
    public GoodbyeReason? Farewell { get; private set; }

    /// <summary>Bytes of chunks that wait to be sent.</summary>
    public long QueuedBytes { get; private set; }

    /// <summary>Runs the link until it ends.</summary>
    /// <param name="workers">Starts the sender.</param>
    /// <param name="handle">Takes every message that is no answer, and its frame, which it must dispose.</param>
    public async Task Run(IWorkers workers, Action<PeerLink, PeerMessage, IFrame> handle)
    {
        workers.Start("peer sender", SendLoop);
        while (!IsClosed)
        {
            Result<IFrame, TransportError> received = await _connection.Receive(CancellationToken.None);
            if (!received.TryGet(out IFrame? frame, out TransportError error))
            {
                Fault = error.Kind == TransportErrorKind.Protocol ? GoodbyeReason.ProtocolError : null;
                Close(error.Detail);
                break;
            }

            _lastHeard = _time.GetTimestamp();
            if (IsClosed)
            {
                // Closed while this was on its way: whoever was revoked says nothing more.
                frame.Dispose();
                break;
            }

            if (_isOverfull)
            {
                frame.Dispose();
                GiveUp();
                break;
            }

            Result<PeerMessage, ProtocolError> decoded = PeerMessageCodec.Decode(frame.Bytes);
            if (!decoded.TryGet(out PeerMessage? message, out ProtocolError bad))
            {
                frame.Dispose();
                Fault = GoodbyeReason.ProtocolError;
                Send(new Goodbye(GoodbyeReason.ProtocolError));
                Close($"a bad frame: {bad}");
                break;
            }

            Dispatch(message, frame, handle);
        }
    }

    /// <summary>Queues a message. What cannot be sent any more is dropped with the link.</summary>
    public void Send(PeerMessage message)
    {
        if (!IsClosed)
        {
            SendEncoded(Encode(message));
        }
    }

    /// <summary>A message as it travels, for <see cref="SendEncoded"/>.</summary>
    public static ReadOnlyMemory<byte> Encode(PeerMessage message)
    {
        ArrayBufferWriter<byte> output = new(256);
        PeerMessageCodec.Encode(message, output);
        return output.WrittenMemory;
    }

    /// <summary>As <see cref="Send"/>, for what is said to many: encoded once.</summary>
    public void SendEncoded(ReadOnlyMemory<byte> message)
    {
        if (IsClosed)
        {
            return;
        }

        // Whoever says this may be in the middle of something: the link is closed when it is looked at next.
        _isOverfull |= _smallBytes + message.Length > SmallBytesMax;
        if (!_isOverfull)
        {
            _smallBytes += message.Length;
            Enqueue(_small, new Outgoing(message, default, null));
        }
    }

    /// <summary>Queues a frame that carries chunks, behind all small messages.</summary>
    /// <param name="head">The encoded head.</param>
    /// <param name="body">The stored bytes; must stay valid until <paramref name="sent"/> is called.</param>
    /// <param name="sent">Called once when the bytes are no longer needed, sent or not.</param>
    public void SendBody(ReadOnlyMemory<byte> head, ReadOnlyMemory<byte> body, Action sent)
    {
        if (IsClosed)
        {
            sent();
            return;
        }

        QueuedBytes += body.Length;
        Enqueue(_large, new Outgoing(head, body, sent));
    }

    /// <summary>Sends a request made with the number it is given; completes with the answer, or with nothing.</summary>
    public Task<PeerReply> Ask(Func<ulong, NumberedMessage> make)
    {
        (ulong number, Task<PeerReply> reply) = Expect();
        Send(make(number));
        return reply;
    }

    /// <summary>A number for a request that the caller sends itself, and its answer.</summary>
    public (ulong Number, Task<PeerReply> Reply) Expect()
    {
        ulong number = _nextRequest++;
        Pending pending = new(_time.GetTimestamp());
        if (IsClosed)
        {
            pending.Answer.SetResult(new PeerReply(null, null));
        }
        else
        {
            _pending.Add(number, pending);
        }

        return (number, pending.Answer.Task);
    }

    /// <summary>Closes a link whose peer has been silent for too long while it owes an answer.</summary>
    public void CloseIfStuck(TimeSpan patience)
    {
        bool isSilent = _time.GetElapsedTime(_lastHeard) > patience;
        bool owes = _pending.Values.Any(pending => _time.GetElapsedTime(pending.Asked) > patience);
        if (isSilent && owes)
        {
            Close($"no answer for {patience.TotalSeconds:0} s");
        }
    }

    /// <summary>Sends what is queued before, says why, and ends.</summary>
    public void Close(GoodbyeReason reason)
    {
        Fault ??= reason == GoodbyeReason.ProtocolError ? reason : null;
        Send(new Goodbye(reason));
        Close($"closed here: {reason}");
    }

    /// <summary>Ends the link.</summary>
    public void Close(string reason)
    {
        if (IsClosed)
        {
            return;
        }

        IsClosed = true;
        CloseReason = reason;
        _wake?.TrySetResult();
        Pending[] open = [.. _pending.OrderBy(pair => pair.Key).Select(pair => pair.Value)];
        _pending.Clear();
        foreach (Pending pending in open)
        {
            pending.Answer.TrySetResult(new PeerReply(null, null));
        }
    }

    private void Dispatch(PeerMessage message, IFrame frame, Action<PeerLink, PeerMessage, IFrame> handle)
    {
        switch (message)
        {
            case ChunkPutReply or ChunkData or HoldingReply or DigestReply or PartitionReply or DropReply or TableReply
                or Pong:
                NumberedMessage answer = (NumberedMessage)message;
                if (_pending.Remove(answer.Request, out Pending? pending))
                {
                    pending.Answer.SetResult(new PeerReply(answer, frame));
                }
                else
                {
                    frame.Dispose();
                    Fault = GoodbyeReason.ProtocolError;
                    Close($"an answer to no request ({message.Tag})");
                }

                break;
            case Goodbye goodbye:
                frame.Dispose();
                Farewell = goodbye.Reason;
                Fault = goodbye.Reason is GoodbyeReason.ProtocolError or GoodbyeReason.Revoked ? goodbye.Reason : null;
                Close($"the peer says goodbye: {goodbye.Reason}");
                break;
            default:
                handle(this, message, frame);
                break;
        }
    }

    /// <summary>Nothing that waits would be taken, a goodbye neither; a send under way ends with the connection.</summary>
    private void GiveUp()
    {
        Fault = GoodbyeReason.ProtocolError;
        _small.Clear();
        Close("the peer does not take what it is sent");
        _ = _connection.DisposeAsync().AsTask();
    }

    private void Enqueue(Queue<Outgoing> queue, Outgoing outgoing)
    {
        queue.Enqueue(outgoing);
        _wake?.TrySetResult();
    }

    private async Task SendLoop()
    {
        while (true)
        {
            if (_isOverfull && !IsClosed)
            {
                GiveUp();
            }

            if (!_small.TryDequeue(out Outgoing next) && !(IsClosed || _large.TryDequeue(out next)))
            {
                _wake = new TaskCompletionSource();
                await _wake.Task;
                _wake = null;
                continue;
            }

            if (next.Head.IsEmpty)
            {
                break;
            }

            Result<Unit, TransportError> sent = await _connection.Send(next.Head, next.Body, CancellationToken.None);
            QueuedBytes -= next.Body.Length;
            _smallBytes -= next.Sent is null ? next.Head.Length : 0;
            next.Sent?.Invoke();
            if (!sent.TryGet(out _, out TransportError error))
            {
                Close(error.Detail);
                _small.Clear();
            }
        }

        while (_large.TryDequeue(out Outgoing dropped))
        {
            QueuedBytes -= dropped.Body.Length;
            dropped.Sent?.Invoke();
        }

        await _connection.DisposeAsync();
    }

    private readonly record struct Outgoing(ReadOnlyMemory<byte> Head, ReadOnlyMemory<byte> Body, Action? Sent);

    private sealed record Pending(long Asked)
    {
        public TaskCompletionSource<PeerReply> Answer { get; } = new();
    }
}
