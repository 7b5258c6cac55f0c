using System.Buffers;
using System.Security.Cryptography;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Control;
using Cairn.Node.Ports;

namespace Cairn.Io.Tests.Peers;

/// <summary>A running node over real TLS, and peers it must not let in: told why, cut off, reported, and nothing else.</summary>
public sealed class UnwelcomePeerTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly LiveNode _node = new("desk");
    private readonly LiveNode _peer = new("stranger");

    public async ValueTask InitializeAsync() => await _node.Found();

    public async ValueTask DisposeAsync()
    {
        await _peer.DisposeAsync();
        await _node.DisposeAsync();
    }

    [Fact]
    public async Task A_key_that_was_never_granted()
    {
        await AssertRefused(Encode(Hello(1, 1)), GoodbyeReason.NotMember);
        await AssertLives("cairn invite");
    }

    [Fact]
    public async Task A_key_that_was_revoked()
    {
        await _peer.Join(_node);
        string id = _peer.Identity.Node.ToString();
        Assert.True((await _node.Loop.Call(() => _node.Node.RevokeNode(id, default).AsTask())).IsOk);
        await AssertRefused(Encode(Hello(1, 1)), GoodbyeReason.Revoked);
        await AssertLives("comes back only as a new one");
    }

    [Fact]
    public async Task A_protocol_of_another_time()
    {
        await AssertRefused(Encode(Hello(77, 78)), GoodbyeReason.NoCommonVersion);
        await AssertLives("Upgrade");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData(60_000)]
    public async Task Garbage_where_a_hello_was_due(int length)
    {
        await AssertRefused(RandomNumberGenerator.GetBytes(length), GoodbyeReason.ProtocolError);
        await AssertLives("broken");
    }

    [Fact]
    public async Task A_hello_cut_short()
    {
        await AssertRefused(Encode(Hello(1, 1))[..^40], GoodbyeReason.ProtocolError);
        await AssertLives("broken");
    }

    [Theory]
    [InlineData(65_537)]
    [InlineData(5_000_000)]
    public async Task A_first_frame_larger_than_any_hello_ends_the_connection_before_it_is_read(int length)
    {
        await using IConnection connection = await Connect();
        await connection.Send(new byte[length], default, default);
        using CancellationTokenSource limit = new(Patience);
        Assert.False((await connection.Receive(limit.Token)).IsOk);
        await AssertLives("broken");
        Assert.Equal(0, _node.Transport.OutstandingFrames);
    }

    [Fact]
    public async Task A_member_that_sends_garbage_loses_its_connection_and_may_come_again()
    {
        await _peer.Join(_node);
        for (int i = 0; i < 3; i++)
        {
            await using IConnection connection = await Connect();
            await connection.Send(Encode(Hello(1, 1)), default, default);
            await Until(connection, message => message is Hello);
            await connection.Send(new byte[] { 0xEE, 1, 2, 3 }, default, default);
            PeerMessage last = await Until(connection, message => message is Goodbye);
            Assert.Equal(GoodbyeReason.ProtocolError, ((Goodbye)last).Reason);
        }

        await AssertLives("broken");
    }

    private async Task AssertRefused(byte[] first, GoodbyeReason reason)
    {
        await using IConnection connection = await Connect();
        await connection.Send(first, default, default);
        PeerMessage answer = await Until(connection, message => message is Goodbye);
        Assert.Equal(reason, ((Goodbye)answer).Reason);
    }

    /// <summary>The daemon answers, says what it refused and what to do, and has had no failure.</summary>
    private async Task AssertLives(string advice)
    {
        using CancellationTokenSource limit = new(Patience);
        NodeStatus status;
        do
        {
            status = await _node.Loop.Call(() => _node.Node.Status(limit.Token).AsTask());
            limit.Token.ThrowIfCancellationRequested();
        }
        while (!status.Problems.Any(problem =>
            problem.Code == "peer-refused" && problem.Advice.Contains(advice, StringComparison.Ordinal)));
        Assert.Empty(_node.Failures);
    }

    private async Task<IConnection> Connect()
    {
        Result<IConnection, TransportError> connected =
            await _peer.Transport.Connect(_node.Transport.ListenAddress, _node.Identity.Node, default);
        Assert.True(connected.IsOk, connected.ToString());
        return connected.Value;
    }

    private static async Task<PeerMessage> Until(IConnection connection, Func<PeerMessage, bool> isIt)
    {
        using CancellationTokenSource limit = new(Patience);
        while (true)
        {
            Result<IFrame, TransportError> received = await connection.Receive(limit.Token);
            Assert.True(received.IsOk, received.ToString());
            using IFrame frame = received.Value;
            PeerMessage message = PeerMessageCodec.Decode(frame.Bytes.ToArray()).Value;
            if (isIt(message))
            {
                return message;
            }
        }
    }

    private Hello Hello(ushort min, ushort max) =>
        new(min, max, HelloPurpose.Member, _node.Node.Pool, _peer.Record);

    private static byte[] Encode(PeerMessage message)
    {
        ArrayBufferWriter<byte> output = new();
        PeerMessageCodec.Encode(message, output);
        return output.WrittenSpan.ToArray();
    }
}
