using System.Text;
using Cairn.Coding.Encryption;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Control;
using Cairn.Node.Pool;
using Cairn.Node.Ports;
using Cairn.Storage;
using Cairn.Storage.Home;

namespace Cairn.Node.Peers;

/// <summary>Lets newcomers in: by an invite of this node, or by the recovery key.</summary>
/// <remarks>
/// (1) The newcomer proves the secret, bound to both identity keys. (2) The code is consumed on stable storage. (3) The grant
/// and the keys go into the pool's log. (4) This side proves the secret and sends what the newcomer needs to begin.
/// Thread: the engine's loop.
/// </remarks>
internal sealed class JoinHost
{
    private const string BookFile = "invites";
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(10);

    private readonly NodePorts _ports;
    private readonly PoolLog _log;
    private readonly PoolView _view;
    private readonly NodeDiary _diary;
    private readonly InviteBook _book;
    private readonly long _started;

    /// <summary>Takes up the codes that a restart left.</summary>
    public JoinHost(NodePorts ports, PoolLog log, PoolView view, NodeDiary diary)
    {
        _ports = ports;
        _log = log;
        _view = view;
        _diary = diary;
        _started = ports.Time.GetTimestamp();
        bool isKept = SmallFile.Read(ports.Disk, BookFile, 1 << 20).TryGet(out byte[]? bytes, out _) && bytes is not null;
        _book = isKept && InviteBook.Decode(bytes, NowMs, Wall).TryGet(out InviteBook? book, out _)
            ? book
            : new InviteBook();
    }

    /// <summary>This node's own record, as told in the hello.</summary>
    public required Func<SignedNodeRecord> OwnRecord { get; init; }

    private long NowMs => (long)_ports.Time.GetElapsedTime(_started).TotalMilliseconds;

    private WallTime Wall => WallTime.From(_ports.Time.GetUtcNow());

    /// <summary>Makes a code.</summary>
    public Result<InviteTicket, ControlError> Invite(NodeAddress address, InviteTerms terms)
    {
        byte[] secret = _ports.RandomBytes(Bytes16.Size);
        _book.Add(new Bytes16(secret), NowMs, terms);
        if (!Save().TryGet(out _, out StoreError error))
        {
            return new ControlError(ControlErrorKind.Storage, error.ToString());
        }

        InviteCode code = InviteCode.Create(address, _view.Self, new Bytes16(secret));
        DateTimeOffset expires = _ports.Time.GetUtcNow() + TimeSpan.FromMilliseconds(InviteBook.LifetimeMs);
        return new InviteTicket(code.ToString(), WallTime.From(expires));
    }

    /// <summary>Serves one who wants in; the connection is closed at the end.</summary>
    public async Task Serve(IConnection connection, PeerHello hello)
    {
        await using (connection)
        {
            using CancellationTokenSource limit = new(AnswerMax, _ports.Time);
            await Handshake.SendHello(connection, HelloPurpose.Join, _view.Pool, OwnRecord().Bytes);
            Result<PeerMessage, HandshakeError> received = await Handshake.Receive(connection, limit.Token);
            if (!received.TryGet(out PeerMessage? message, out _))
            {
                return;
            }

            PeerMessage answer = message switch
            {
                JoinRequest request => Redeem(connection.Peer, hello, request),
                RecoverRequest request => Recover(connection.Peer, hello, request),
                _ => new Goodbye(GoodbyeReason.ProtocolError),
            };
            await Handshake.Send(connection, answer);

            // The newcomer closes when it has heard the answer and kept what it needs.
            await Handshake.Receive(connection, limit.Token);
        }
    }

    private PeerMessage Redeem(PeerIdentity peer, PeerHello hello, JoinRequest request)
    {
        if (!_view.IsAdmin)
        {
            return new Goodbye(GoodbyeReason.CannotGrant);
        }

        // An invite is for a machine that nobody knows; its own new keys are what a revoked one would have to come with.
        if (_view.IsRevoked(peer.Node))
        {
            _diary.Add(LogLevel.Warning, "join", $"{peer.Node.Short} shows an invite, but was revoked");
            return new Goodbye(GoodbyeReason.Revoked);
        }

        // (1) and (2): whatever the outcome, what it cost is on disk before anything is said.
        byte[] proof = request.Proof.ToArray();
        Result<byte[], InviteRejection> redeemed = _book.Redeem(
            request.InviteTag, proof, _ports.Identity.PublicKey.Span, peer.IdentityKey.Span, NowMs);
        if (!Save().TryGet(out _, out StoreError error))
        {
            _diary.Add(LogLevel.Error, "join", error.ToString());
            return new Goodbye(GoodbyeReason.CannotGrant);
        }

        if (!redeemed.TryGet(out byte[]? own, out InviteRejection rejection))
        {
            _diary.Add(LogLevel.Warning, "join", $"{peer.Node.Short} was refused: {rejection}");
            return new Goodbye(
                rejection == InviteRejection.Expired ? GoodbyeReason.InviteExpired : GoodbyeReason.InviteRefused);
        }

        InviteTerms terms = _book.TermsOf(request.InviteTag);
        GrantMember grant = new(peer.Node, (byte)terms.Role, peer.IdentityKey, NameFor(peer, hello));

        // In one transaction, with nothing seen: it never writes.
        return terms.IsReadOnly
            ? Accept(peer, hello, new Bytes32(own), grant, new LimitMember(peer.Node, MayWrite: false, []))
            : Accept(peer, hello, new Bytes32(own), grant);
    }

    private PeerMessage Recover(PeerIdentity peer, PeerHello hello, RecoverRequest request)
    {
        NodeId recovery = Signatures.NodeOf(request.RecoveryKey.Span);
        bool isRecovery = _log.State.Members.TryGetValue(recovery, out Member? member)
            && member is { Role: MemberRole.Recovery, Standing: MemberStanding.Active };
        byte[] signed = PoolApplier.RecoverySigned(_view.Pool, _ports.Identity.PublicKey.Span, peer.IdentityKey.Span);
        if (!isRecovery || !Signatures.CheckEcdsa(request.RecoveryKey.Span, signed, request.Signature.Span))
        {
            _diary.Add(LogLevel.Warning, "join", $"{peer.Node.Short} showed no valid recovery key");
            return new Goodbye(GoodbyeReason.InviteRefused);
        }

        if (_log.State.Members.ContainsKey(peer.Node))
        {
            _diary.Add(LogLevel.Warning, "join", $"{peer.Node.Short} was a member before: recover with a new identity");
            return new Goodbye(GoodbyeReason.CannotGrant);
        }

        RecoverMember grant = new(
            peer.Node, peer.IdentityKey, NameFor(peer, hello), recovery, request.Signature.ToArray());
        return Accept(peer, hello, default, grant);
    }

    /// <summary>(3) and (4).</summary>
    private PeerMessage Accept(
        PeerIdentity peer, PeerHello hello, Bytes32 proof, params ReadOnlySpan<Primitive> grants)
    {
        if (!_log.Append([.. grants, .. KeysFor(peer)]).IsOk)
        {
            return new Goodbye(GoodbyeReason.CannotGrant);
        }

        _view.Merge(hello.Record);
        _diary.Add(LogLevel.Info, "join", $"{hello.Record.Record.Name} ({peer.Node.Short}) is a member now");
        Span<byte> shared = stackalloc byte[KeyWrap.SharedSecretSize];
        Span<byte> salt = stackalloc byte[KeyWrap.SaltSize];
        bool agreed = _ports.Identity.TryAgree(peer.IdentityKey.Span, shared);
        Invariant.That(agreed, "the transport checked the peer's key");
        _ports.Entropy.Fill(salt);
        byte[] keyring = KeyWrap.Wrap(
            shared, salt, KeyGrants.KeyringContext(_view.Pool, _view.Self, peer.Node), _log.Keyring.Encode());
        IEnumerable<SignedNodeRecord> members =
            _view.Map.Records.Where(record => _view.IsMember(record.Record.Node));
        return new JoinAccept(
            proof, _view.Pool, _log.FounderKey, keyring, [.. members.Select(record => record.Bytes)]);
    }

    /// <summary>Every key this node has, wrapped to the newcomer.</summary>
    private List<Primitive> KeysFor(PeerIdentity peer)
    {
        List<Primitive> grants = [];
        foreach (PoolVolume volume in _log.State.CompleteVolumes)
        {
            if (KeyGrants.Keyring(_ports.Identity, _log.State, volume.Volume) is { } ring)
            {
                grants.Add(Wrap(peer, volume.Volume, default, ring.Dedup.Bytes));
                grants.AddRange(ring.Epochs.Select(epoch => Wrap(peer, volume.Volume, epoch.Id, epoch.Bytes)));
            }
        }

        grants.AddRange(_log.Keyring.Epochs.Select(epoch => Wrap(peer, _log.Volume, epoch.Id, epoch.Bytes)));
        return grants;
    }

    private GrantKey Wrap(PeerIdentity peer, VolumeId volume, EpochId epoch, ReadOnlySpan<byte> key) =>
        KeyGrants.Wrap(_ports.Identity, _ports.Entropy, peer.Node, peer.IdentityKey.Span, volume, epoch, key);

    private byte[] NameFor(PeerIdentity peer, PeerHello hello) =>
        Encoding.UTF8.GetBytes(FreeName(hello.Record.Record.Name, peer.Node));

    private string FreeName(string name, NodeId node)
    {
        bool isTaken = _log.State.Members.Values.Any(member =>
            member.Node != node && string.Equals(member.Name, name, StringComparison.Ordinal));
        return isTaken ? $"{name}-{node.Short[..4]}" : name;
    }

    private Result<Unit, StoreError> Save() =>
        SmallFile.Write(_ports.Disk, BookFile, _book.Encode(NowMs, Wall));
}
