using Cairn.Coding.Encryption;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Control;
using Cairn.Node.Ports;
using static Cairn.Node.Tests.Peers.RawPeer;

namespace Cairn.Node.Tests.Peers;

/// <summary>The kit is for the pool that it was made for: another machine at its addresses cannot play it.</summary>
public sealed class RecoveryTests
{
    private readonly PoolBench _bench = new(261);

    [Fact]
    public void WhoOnlySaysThatItIsThePool_IsNotBelieved()
    {
        RecoveryKit kit = FoundPool(out BenchNode founder);
        BenchNode stranger = _bench.NewNode();
        ControlError error = RecoverFrom(stranger, kit, founder.Ports.Identity.PublicKey).Error;
        Assert.Equal(ControlErrorKind.InviteRefused, error.Kind);
        Assert.Contains("--at", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AKitOfTheFirstVersion_HasNothingToTellThemBy()
    {
        RecoveryKit kit = FoundPool(out BenchNode founder);
        BenchNode stranger = _bench.NewNode();
        Assert.True(RecoverFrom(stranger, kit with { Pin = null }, founder.Ports.Identity.PublicKey).IsOk);
    }

    [Fact]
    public void TheOneBehindTheStranger_IsFound()
    {
        RecoveryKit kit = FoundPool(out BenchNode founder);
        founder.Start();
        BenchNode member = _bench.NewNode();
        _bench.Join(member, founder);
        BenchNode stranger = _bench.NewNode();
        kit = kit with { Addresses = [NodeAddress.From(stranger.Address), NodeAddress.From(member.Address)] };
        Result<JoinedPool, ControlError> recovered = RecoverFrom(stranger, kit, founder.Ports.Identity.PublicKey);
        Assert.True(recovered.IsOk, recovered.ToString());
        Assert.Equal("node1", recovered.Value.InviterName);
    }

    private RecoveryKit FoundPool(out BenchNode founder)
    {
        BenchNode first = _bench.NewNode();
        Result<FoundedPool, ControlError> founded =
            _bench.Do(first, () => Task.FromResult(Founding.Found(first.Ports, first.Options)));
        founder = first;
        return RecoveryKit.Parse(founded.Value.RecoveryKit).Value;
    }

    /// <summary>
    /// What an empty machine with a kit gets, when a stranger with the founder's public key answers at its first address.
    /// </summary>
    private Result<JoinedPool, ControlError> RecoverFrom(
        BenchNode stranger, RecoveryKit kit, ReadOnlyMemory<byte> founderKey)
    {
        Task playing = stranger.Process.Run(() => Play(stranger, kit.Pool, founderKey));
        BenchNode empty = _bench.NewNode();
        kit = kit.Addresses.Contains(NodeAddress.From(stranger.Address))
            ? kit
            : kit with { Addresses = [NodeAddress.From(stranger.Address)] };
        Result<JoinedPool, ControlError> recovered = _bench.Do(
            empty, () => Founding.Recover(empty.Ports, empty.Options, kit.ToString(), null, CancellationToken.None));
        _bench.Until(() => playing.IsCompletedSuccessfully, "the stranger was asked");
        return recovered;
    }

    /// <summary>Lets the next one in, into a pool of its own with the same id.</summary>
    private static async Task<int> Play(BenchNode stranger, PoolId pool, ReadOnlyMemory<byte> founderKey)
    {
        Result<IConnection, TransportError> accepted = await stranger.Transport.Accept(CancellationToken.None);
        await using IConnection connection = accepted.Value;
        ReadOnlyMemory<byte> record = RecordOf(stranger.Ports.Identity, "stranger", stranger).Bytes;
        await Send(connection, new Hello(ProtocolVersion.Min, ProtocolVersion.Max, HelloPurpose.Join, pool, record));
        Assert.IsType<Hello>(await Receive(connection));
        Assert.IsType<RecoverRequest>(await Receive(connection));
        byte[] secret = new byte[KeyWrap.SharedSecretSize];
        Assert.True(stranger.Ports.Identity.TryAgree(connection.Peer.IdentityKey.Span, secret));
        EpochKey epoch = new(new EpochId(new byte[EpochId.Size]), new byte[EpochKey.Size]);
        VolumeKeyring made = new(new VolumeId(pool.Value), new DedupSecret(new byte[DedupSecret.Size]), epoch);
        byte[] context = KeyringContext(pool, stranger.Id, connection.Peer.Node);
        byte[] keyring = KeyWrap.Wrap(secret, new byte[KeyWrap.SaltSize], context, made.Encode());
        await Send(connection, new JoinAccept(default, pool, founderKey, keyring, []));
        await Receive(connection);
        return 0;
    }
}
