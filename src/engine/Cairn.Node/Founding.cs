using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Cairn.Coding.Encryption;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Protocol;
using Cairn.Node.Control;
using Cairn.Node.Peers;
using Cairn.Node.Pool;
using Cairn.Node.Ports;
using Cairn.Storage;
using Cairn.Storage.Home;
using Cairn.Storage.Logs;

namespace Cairn.Node;

/// <summary>How a home becomes part of a pool: by founding one, by an invite, or by the recovery kit. No node runs meanwhile.</summary>
public static class Founding
{
    private static readonly TimeSpan AnswerMax = TimeSpan.FromSeconds(20);

    /// <summary>Founds a pool with this node as its first admin.</summary>
    public static Result<FoundedPool, ControlError> Found(NodePorts ports, NodeOptions options)
    {
        if (!OpenEmpty(ports, options).TryGet(out HomeLayout? home, out ControlError error))
        {
            return error;
        }

        using (home)
        {
            PoolId pool = new(ports.RandomBytes(PoolId.Size));
            VolumeId volume = PoolLog.VolumeOf(pool);
            EpochKey epoch = new(new EpochId(ports.RandomBytes(EpochId.Size)), ports.RandomBytes(EpochKey.Size));
            VolumeKeyring keyring = new(volume, new DedupSecret(ports.RandomBytes(DedupSecret.Size)), epoch);
            (Bytes32 recoveryKey, byte[] recoveryPublic) = MakeRecoveryKey(ports);
            NodeId recovery = Signatures.NodeOf(recoveryPublic);
            ImmutableArray<Primitive> grants =
            [
                new GrantMember(
                    ports.Identity.Node, (byte)MemberRole.Admin, ports.Identity.PublicKey, Encoding.UTF8.GetBytes(options.Name)),
                new GrantMember(recovery, (byte)MemberRole.Recovery, recoveryPublic, "recovery kit"u8.ToArray()),
                KeyGrants.Wrap(
                    ports.Identity, ports.Entropy, ports.Identity.Node, ports.Identity.PublicKey.Span, volume, epoch.Id, epoch.Bytes),
                KeyGrants.Wrap(ports.Identity, ports.Entropy, recovery, recoveryPublic, volume, epoch.Id, epoch.Bytes),
            ];
            Result<LogStore, StoreError> opened = LogStore.Open(ports.Disk, HomeLayout.LogsFolder);
            if (!opened.TryGet(out LogStore? logs, out StoreError failure))
            {
                return Storage(failure);
            }

            using (logs)
            {
                PoolLog log = new(ports, logs, new NodeDiary(ports.Time), pool, ports.Identity.PublicKey, keyring);
                Result<Unit, StoreError> kept = log.Append(grants);
                PoolConfig config = new(
                    pool, ports.Identity.PublicKey, ports.Identity.Node, PoolKeys.SealToSelf(ports, pool, keyring), []);
                kept = kept.IsOk ? config.Save(ports.Disk) : kept;
                if (!kept.TryGet(out _, out failure))
                {
                    return Storage(failure);
                }
            }

            ImmutableArray<NodeAddress> hints = [.. Addresses(ports, options)];
            PoolPin pin = PoolPin.Of(pool, ports.Identity.Node, keyring.Dedup.Bytes);
            return new FoundedPool(pool, new RecoveryKit(pool, recoveryKey, pin, hints).ToString());
        }
    }

    /// <summary>Joins a pool by a code that one of its nodes gave out.</summary>
    public static async Task<Result<JoinedPool, ControlError>> Join(
        NodePorts ports, NodeOptions options, string code, CancellationToken cancellation)
    {
        Result<InviteCode, InviteCodeError> parsed = InviteCode.Parse(code);
        if (!parsed.TryGet(out InviteCode? invite, out InviteCodeError bad))
        {
            return new ControlError(ControlErrorKind.InviteGarbled, Describe(bad));
        }

        if (!OpenEmpty(ports, options).TryGet(out HomeLayout? home, out ControlError error))
        {
            return error;
        }

        using (home)
        {
            Credential credential = new(
                invite.Matches,
                connection => new JoinRequest(
                    InviteProof.TagOf(invite.Secret),
                    new Bytes32(InviteProof.Compute(
                        invite.Secret, InviteRole.Joiner, connection.Peer.IdentityKey.Span, ports.Identity.PublicKey.Span))),
                (connection, accept) => InviteProof.Verify(
                    invite.Secret, InviteRole.Inviter, connection.Peer.IdentityKey.Span, ports.Identity.PublicKey.Span,
                    accept.Proof.ToArray()),
                (_, _) => true);
            return await Enter(ports, options, [invite.Address], credential, cancellation);
        }
    }

    /// <summary>Brings the owner back on an empty machine, by the kit printed when the pool was founded.</summary>
    /// <param name="address">"host:port" of any member, when those in the kit no longer answer; or null.</param>
    public static async Task<Result<JoinedPool, ControlError>> Recover(
        NodePorts ports, NodeOptions options, string kitText, string? address, CancellationToken cancellation)
    {
        if (!RecoveryKit.Parse(kitText).TryGet(out RecoveryKit? kit, out RecoveryKitError bad))
        {
            return new ControlError(
                ControlErrorKind.InviteGarbled, $"This is no recovery kit ({bad}). Copy it again, whole.");
        }

        if (!OpenEmpty(ports, options).TryGet(out HomeLayout? home, out ControlError error))
        {
            return error;
        }

        using (home)
        {
            List<NodeAddress> addresses = [.. kit.Addresses];
            if (NodeAddress.TryParse(address, out NodeAddress given))
            {
                addresses.Insert(0, given);
            }
            else if (address is not null)
            {
                return new ControlError(
                    ControlErrorKind.InvalidArgument,
                    $"'{address}' is not an address and port, such as 192.168.1.20:7866.");
            }

            using ECDsa recovery = ECDsa.Create(
                new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = kit.PrivateKey.ToArray() });
            byte[] publicKey = recovery.ExportSubjectPublicKeyInfo();
            Credential credential = new(
                _ => true,
                connection =>
                {
                    byte[] signed = PoolApplier.RecoverySigned(
                        kit.Pool, connection.Peer.IdentityKey.Span, ports.Identity.PublicKey.Span);
                    byte[] signature = recovery.SignData(
                        signed, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
                    return new RecoverRequest(publicKey, signature);
                },
                (_, accept) => accept.Pool == kit.Pool,
                (founder, keyring) =>
                    kit.Pin is not { } pin || pin == PoolPin.Of(kit.Pool, founder, keyring.Dedup.Bytes));
            return await Enter(ports, options, addresses, credential, cancellation);
        }
    }

    private static async Task<Result<JoinedPool, ControlError>> Enter(
        NodePorts ports, NodeOptions options, IReadOnlyList<NodeAddress> addresses, Credential credential,
        CancellationToken cancellation)
    {
        // What the first address answers is what people can act on: it is the one that they gave.
        ControlError? first = null;
        await foreach (IPEndPoint endpoint in ResolvedAddresses.Of(ports.Transport, addresses, cancellation))
        {
            Result<JoinedPool, ControlError> entered =
                await EnterAt(ports, options, endpoint, credential, cancellation);
            if (entered.TryGet(out JoinedPool? joined, out ControlError error))
            {
                return joined;
            }

            first ??= error;
            first = error.Kind == ControlErrorKind.Unanswered ? first.Value with { Kind = error.Kind } : first;
        }

        return first ?? new ControlError(
            ControlErrorKind.Unreachable, $"{string.Join(", ", addresses)}: no such name is known here.");
    }

    private static async Task<Result<JoinedPool, ControlError>> EnterAt(
        NodePorts ports, NodeOptions options, IPEndPoint address, Credential credential,
        CancellationToken cancellation)
    {
        using CancellationTokenSource limit = new(AnswerMax, ports.Time);
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellation);
        Result<IConnection, TransportError> connected;
        try
        {
            connected = await ports.Transport.Connect(address, null, both.Token);
        }
        catch (OperationCanceledException)
        {
            return new ControlError(ControlErrorKind.Unreachable, $"{address} does not answer.");
        }

        if (!connected.TryGet(out IConnection? connection, out TransportError error))
        {
            return new ControlError(
                ControlErrorKind.Unreachable, $"{address} cannot be reached ({error.Detail}). Is that node up, and on this network?");
        }

        await using (connection)
        {
            if (!credential.IsExpected(connection.Peer.Node))
            {
                return new ControlError(
                    ControlErrorKind.InviteRefused, $"Another machine than the inviter answers at {address}. Ask for a new invite.");
            }

            OwnRecord record = new(ports, options, SpacePlan.For(options.SpaceBytes).Chunks.SpaceBytes, []);
            await Handshake.SendHello(connection, HelloPurpose.Join, default, record.Current.Bytes);
            Result<PeerHello, HandshakeError> hello =
                await Handshake.ReceiveHello(connection, ports.CheckSignature, both.Token);
            if (!hello.TryGet(out PeerHello? said, out HandshakeError refused))
            {
                return Refused(refused);
            }

            await Handshake.Send(connection, credential.Request(connection));
            Result<PeerMessage, HandshakeError> answer =
                await Handshake.Receive(connection, both.Token, IConnection.FrameBytesMax);
            if (!answer.TryGet(out PeerMessage? message, out refused))
            {
                // Without a word why, this machine may be a member by now.
                ControlError why = Refused(refused);
                return why.Kind == ControlErrorKind.Unreachable ? why with { Kind = ControlErrorKind.Unanswered } : why;
            }

            return message is JoinAccept accept && credential.IsProved(connection, accept)
                ? Keep(ports, connection, said, accept, record, credential)
                : new ControlError(ControlErrorKind.InviteRefused, $"{address} does not know the code. Ask for a new invite.");
        }
    }

    private static Result<JoinedPool, ControlError> Keep(
        NodePorts ports, IConnection connection, PeerHello inviter, JoinAccept accept, OwnRecord record,
        Credential credential)
    {
        byte[] shared = new byte[KeyWrap.SharedSecretSize];
        byte[] context = KeyGrants.KeyringContext(accept.Pool, connection.Peer.Node, ports.Identity.Node);
        bool isOpened = ports.Identity.TryAgree(connection.Peer.IdentityKey.Span, shared);
        Result<byte[], SealError> unwrapped = KeyWrap.Unwrap(shared, context, accept.Keyring.Span);
        if (!isOpened || !unwrapped.TryGet(out byte[]? plain, out _)
            || !VolumeKeyring.Decode(plain).TryGet(out VolumeKeyring? keyring, out _))
        {
            return new ControlError(ControlErrorKind.InviteRefused, "The pool's keys cannot be opened. Ask for a new invite.");
        }

        if (!credential.IsPool(Signatures.NodeOf(accept.FounderKey.Span), keyring))
        {
            return new ControlError(
                ControlErrorKind.InviteRefused,
                "Another machine than one of the kit's pool answers there. Name one that is, with --at ADDRESS:PORT.");
        }

        PoolConfig config = new(
            accept.Pool, accept.FounderKey, connection.Peer.Node, PoolKeys.SealToSelf(ports, accept.Pool, keyring), accept.Records);
        Result<Unit, StoreError> kept = record.Save();
        kept = kept.IsOk ? config.Save(ports.Disk) : kept;
        return kept.TryGet(out _, out StoreError failure)
            ? new JoinedPool(accept.Pool, inviter.Record.Record.Name, accept.Records.Count)
            : Storage(failure);
    }

    private static Result<HomeLayout, ControlError> OpenEmpty(NodePorts ports, NodeOptions options)
    {
        if (SpaceKeeper.Refusal(ports.Disk, options.SpaceBytes) is { } refusal)
        {
            return refusal;
        }

        if (!HomeLayout.Open(ports.Disk).TryGet(out HomeLayout? home, out StoreError error))
        {
            return Storage(error);
        }

        Result<PoolConfig?, StoreError> config = PoolConfig.Load(ports.Disk);
        if (config.TryGet(out PoolConfig? existing, out error) && existing is null)
        {
            return home;
        }

        home.Dispose();
        return config.IsOk
            ? new ControlError(ControlErrorKind.AlreadyExists, $"This home belongs to pool {existing!.Pool.Short} already. Use another.")
            : Storage(error);
    }

    private static (Bytes32 Scalar, byte[] PublicKey) MakeRecoveryKey(NodePorts ports)
    {
        byte[] scalar = ports.RandomBytes(Bytes32.Size);
        scalar[0] &= 0x7F; // Below the order of P-256, whatever the other bits are.
        using ECDsa key = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = scalar });
        return (new Bytes32(scalar), key.ExportSubjectPublicKeyInfo());
    }

    private static IEnumerable<NodeAddress> Addresses(NodePorts ports, NodeOptions options) =>
        new OwnRecord(ports, options, 0, []).Current.Record.Addresses.Take(RecoveryKit.AddressesMax);

    private static ControlError Storage(StoreError error) => new(ControlErrorKind.Storage, error.ToString());

    private static ControlError Refused(HandshakeError error) => error.Reason switch
    {
        GoodbyeReason.InviteExpired => new(
            ControlErrorKind.InviteExpired, "The invite is over its ten minutes. Ask for a new one."),
        GoodbyeReason.InviteRefused => new(
            ControlErrorKind.InviteRefused, "The invite is wrong, was used already or was tried too often. Ask for a new one."),
        GoodbyeReason.CannotGrant => new(
            ControlErrorKind.NotPermitted, "That node may not let others in. Ask an admin for an invite."),
        GoodbyeReason.NoCommonVersion => new(ControlErrorKind.Unsuitable, error.Detail),
        GoodbyeReason.Stopping or GoodbyeReason.NotMember or GoodbyeReason.Revoked or GoodbyeReason.Duplicate
            or GoodbyeReason.WrongPool or GoodbyeReason.ProtocolError or null or _ => new(ControlErrorKind.Unreachable, $"The other node ended the conversation: {error.Detail}"),
    };

    private static string Describe(InviteCodeError error) => error switch
    {
        InviteCodeError.Empty => "No invite was given.",
        InviteCodeError.Truncated => "The invite is cut short. Copy all of it.",
        InviteCodeError.Garbled => "The invite has a mistyped character. Copy it again.",
        InviteCodeError.NewerFormat => "The invite was made by a newer Cairn. Upgrade this one.",
        _ => "The invite cannot be read.",
    };

    /// <summary>How a newcomer shows that it may come in, and knows that it came to the right place.</summary>
    /// <param name="IsExpected">Whether this is the node that should answer.</param>
    /// <param name="Request">What the newcomer asks with.</param>
    /// <param name="IsProved">Whether the answer is from who let it in.</param>
    /// <param name="IsPool">Whether the pool with this founder and these keys is the one meant.</param>
    private sealed record Credential(
        Func<NodeId, bool> IsExpected,
        Func<IConnection, PeerMessage> Request,
        Func<IConnection, JoinAccept, bool> IsProved,
        Func<NodeId, VolumeKeyring, bool> IsPool);
}
