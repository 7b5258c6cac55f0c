using System.Buffers;
using System.Collections.Immutable;
using Cairn.Coding.Encryption;
using Cairn.Core.Fold;
using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Control;
using Cairn.Node.Ports;
using static Cairn.Node.Tests.Peers.RawPeer;

namespace Cairn.Node.Tests.Peers;

/// <summary>A machine that was let in and runs a changed program: the test's. It has the pool's keys and may say anything.</summary>
internal sealed class HostileMember
{
    private readonly BenchNode _body;
    private readonly BenchNode _victim;
    private readonly VolumeKeyring _keyring;
    private readonly OrderedFold _fold;
    private readonly LogId _log;
    private ulong _blocks;
    private BlockHash _tip;

    private HostileMember(BenchNode body, BenchNode victim, PoolId pool, VolumeKeyring keyring)
    {
        (_body, _victim, Pool, _keyring) = (body, victim, pool, keyring);
        _fold = new OrderedFold(new TouchedTable(new MemoryTable()), new PoolApplier(pool));
        _log = new LogId(body.Id, 7);
    }

    public PoolId Pool { get; }

    public VolumeId PoolVolume => new(Pool.Value);

    private IIdentity Identity => _body.Ports.Identity;

    /// <summary>Is let in by a running admin's node.</summary>
    public static HostileMember Join(PoolBench bench, BenchNode victim, MemberRole role = MemberRole.Member)
    {
        BenchNode body = bench.NewNode();
        InviteCode code = Invite(bench, victim, role);
        return bench.Do(body, async () =>
        {
            await using IConnection connection = await Connect(body, victim);
            JoinAccept accept = Assert.IsType<JoinAccept>(await Knock(body, connection, code));
            IIdentity own = body.Ports.Identity;
            byte[] shared = new byte[KeyWrap.SharedSecretSize];
            Assert.True(own.TryAgree(connection.Peer.IdentityKey.Span, shared));
            byte[] context = KeyringContext(accept.Pool, victim.Id, own.Node);
            byte[] keyring = KeyWrap.Unwrap(shared, context, accept.Keyring.Span).Value;
            return new HostileMember(body, victim, accept.Pool, VolumeKeyring.Decode(keyring).Value);
        });
    }

    /// <summary>A code of a running admin's node.</summary>
    public static InviteCode Invite(PoolBench bench, BenchNode host, MemberRole role = MemberRole.Member)
    {
        InviteTicket ticket = bench.Ok(host, () => host.Node.Invite(new InviteTerms(role), default).AsTask());
        return InviteCode.Parse(ticket.Code).Value;
    }

    /// <summary>Who it is.</summary>
    public NodeId Node => _body.Id;

    /// <summary>Shows another code, as the member it was or is.</summary>
    public Task<PeerMessage> Knock(InviteCode code) => Knock(_body, _victim, code);

    /// <summary>Shows a code, as anybody.</summary>
    public static async Task<PeerMessage> Knock(BenchNode body, BenchNode victim, InviteCode code)
    {
        await using IConnection connection = await Connect(body, victim);
        return await Knock(body, connection, code);
    }

    private static async Task<PeerMessage> Knock(BenchNode body, IConnection connection, InviteCode code)
    {
        IIdentity own = body.Ports.Identity;
        ReadOnlyMemory<byte> inviter = connection.Peer.IdentityKey;
        await Send(connection, new Hello(
            ProtocolVersion.Min, ProtocolVersion.Max, HelloPurpose.Join, default, RecordOf(own, "h", body).Bytes));
        Assert.IsType<Hello>(await Receive(connection));
        byte[] proof = InviteProof.Compute(code.Secret, InviteRole.Joiner, inviter.Span, own.PublicKey.Span);
        await Send(connection, new JoinRequest(InviteProof.TagOf(code.Secret), new Bytes32(proof)));
        return Assert.IsAssignableFrom<PeerMessage>(await Receive(connection));
    }

    /// <summary>Gets past the hello, as a member does.</summary>
    public async Task<IConnection> Greet()
    {
        IConnection connection = await Hail();
        Assert.IsType<Hello>(await Receive(connection));
        return connection;
    }

    /// <summary>Says hello.</summary>
    public async Task<IConnection> Hail()
    {
        IConnection connection = await Connect(_body, _victim);
        await Send(connection, new Hello(
            ProtocolVersion.Min, ProtocolVersion.Max, HelloPurpose.Member, Pool, RecordOf(Identity, "h", _body).Bytes));
        return connection;
    }

    /// <summary>What it says of itself, signed.</summary>
    public SignedNodeRecord RecordWith(Func<NodeRecord, NodeRecord> change) =>
        Sign(Identity, change(RecordOf(Identity, "h", _body).Record));

    /// <summary>Takes what the pool's log says so far. What it writes from then on depends on that, and on nothing later.</summary>
    public async Task Read()
    {
        await using IConnection connection = await Greet();
        ArrayBufferWriter<byte> nothing = new();
        LogPositions.Empty.Encode(new WireWriter(nothing));
        await Send(connection, new LogPositionsMessage(PoolVolume, nothing.WrittenMemory));
        while (true)
        {
            if (await Receive(connection) is LogBlocks sent && sent.Volume == PoolVolume)
            {
                foreach (ReadOnlyMemory<byte> encoded in sent.Blocks)
                {
                    Take(LogBlockCodec.Decode(encoded).Value);
                }

                return;
            }
        }
    }

    /// <summary>Writes into the pool's log, and tells the victim.</summary>
    public async Task Say(params ImmutableArray<Primitive> primitives)
    {
        await using IConnection connection = await Greet();
        byte[] block = Write(primitives);
        await Send(connection, new LogBlocks(PoolVolume, [block]));

        // Until it is answered for, or the connection might be gone before it is taken.
        while (await Receive(connection) is { } message)
        {
            bool isHeard = message is LogPositionsMessage said && said.Volume == PoolVolume && Has(said);
            if (isHeard)
            {
                return;
            }
        }
    }

    /// <summary>Writes two blocks for one place of its log, and tells the victim both.</summary>
    public async Task SayTwice(Primitive one, Primitive other)
    {
        await using IConnection connection = await Greet();
        (ulong blocks, BlockHash tip) = (_blocks, _tip);
        Transaction told = _fold.Author(_log, default, [one]);
        byte[] second = Write(told with { Primitives = [other] });
        (_blocks, _tip) = (blocks, tip);
        byte[] first = Write(told);
        await Send(connection, new LogBlocks(PoolVolume, [first]));
        await Send(connection, new LogBlocks(PoolVolume, [second]));
        while (await Receive(connection) is { } message)
        {
            if (message is LogPositionsMessage said && said.Volume == PoolVolume && Has(said))
            {
                return;
            }
        }
    }

    /// <summary>A key for a member, wrapped so that it opens.</summary>
    public GrantKey Wrap(Member recipient, VolumeId volume, EpochId epoch, byte[] key)
    {
        byte[] shared = new byte[KeyWrap.SharedSecretSize];
        Assert.True(Identity.TryAgree(recipient.PublicKey.AsSpan(), shared));
        byte[] context =
        [
            .. "cairn key grant/1\0"u8, .. volume.Value.ToArray(), .. epoch.Value.ToArray(),
            .. Identity.Node.Value.ToArray(), .. recipient.Node.Value.ToArray(),
        ];
        return new GrantKey(volume, epoch, recipient.Node, KeyWrap.Wrap(shared, new byte[32], context, key));
    }

    private static async Task<IConnection> Connect(BenchNode body, BenchNode victim)
    {
        Result<IConnection, TransportError> connected =
            await body.Transport.Connect(victim.Address, victim.Id, CancellationToken.None);
        return connected.Value;
    }

    private bool Has(LogPositionsMessage said)
    {
        WireReader reader = new(said.Positions.Span);
        return LogPositions.Decode(ref reader)[_log].BlockSeq >= _blocks;
    }

    private void Take(LogBlock block)
    {
        byte[] plain = new byte[block.Payload.Length - LogCipher.Overhead];
        Assert.True(LogCipher.Open(_keyring, block.Epoch, block.Log, block.Seq, block.Payload.Span, plain).IsOk);
        _fold.Receive(TransactionCodec.DecodeRun(plain, new TransactionId(block.Log, block.FirstTransaction)).Value);
    }

    private byte[] Write(ImmutableArray<Primitive> primitives)
    {
        Transaction transaction = _fold.Author(_log, default, primitives);
        byte[] encoded = Write(transaction);
        _fold.Receive(transaction);
        return encoded;
    }

    private byte[] Write(Transaction transaction)
    {
        ArrayBufferWriter<byte> plain = new();
        TransactionCodec.EncodeRun([transaction], plain);
        byte[] payload = new byte[plain.WrittenCount + LogCipher.Overhead];
        EpochKey epoch = _keyring.Current;
        LogCipher.Seal(epoch, PoolVolume, _log, ++_blocks, plain.WrittenSpan, payload);
        LogBlock block = new(
            PoolVolume, _log, _blocks, transaction.Id.Seq, transaction.Id.Seq, _tip, epoch.Id, payload, default);
        byte[] unsigned = LogBlockCodec.EncodeUnsigned(block);
        byte[] signature = new byte[LogBlock.SignatureSize];
        Identity.Sign(unsigned, signature);
        byte[] encoded = LogBlockCodec.Sign(unsigned, signature);
        _tip = LogBlockCodec.Hash(encoded);
        return encoded;
    }
}
