using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Text;
using Cairn.Node.Control;
using Cairn.Node.Pool;
using Cairn.Node.Volumes;

namespace Cairn.Node.Owner;

/// <summary>What people call nodes, volumes and places in them, and what they are told when there is none, or they may not.</summary>
internal sealed class PoolNames(NodeParts parts)
{
    /// <summary>The member that is called so, or whose id begins so.</summary>
    public Result<Member, ControlError> FindMember(string text)
    {
        bool IsCalledSo(Member member) => string.Equals(member.Name, text, StringComparison.Ordinal)
            || string.Equals(parts.View.NameOf(member.Node), text, StringComparison.Ordinal);
        bool BeginsSo(NodeId node) =>
            text.Length >= 4 && node.ToString().StartsWith(text, StringComparison.OrdinalIgnoreCase);
        Member[] found =
        [
            .. parts.View.State.Members.Values.Where(
                member => member.Role != MemberRole.Recovery && (IsCalledSo(member) || BeginsSo(member.Node))),
        ];
        return found.Length == 1 ? found[0]
            : found.Length == 0
                ? new ControlError(
                    ControlErrorKind.NotFound, $"There is no node '{text}'. `cairn nodes` lists them.")
            : new ControlError(
                ControlErrorKind.InvalidArgument, $"'{text}' could be {found.Length} nodes: use the id.");
    }

    /// <summary>The volume that is called so.</summary>
    public Result<PoolVolume, ControlError> FindVolume(string name) =>
        parts.View.State.TryFindVolume(name, out PoolVolume? volume) ? volume : NoVolume(name);

    /// <summary>The open volume that a path begins with, and the rest of the path.</summary>
    public Result<(IHostedVolume Volume, string Below), ControlError> FindHosted(string path)
    {
        int slash = path.IndexOf('/', StringComparison.Ordinal);
        string name = slash < 0 ? path : path[..slash];
        string below = slash < 0 ? string.Empty : path[(slash + 1)..];
        if (!parts.View.State.TryFindVolume(name, out PoolVolume? volume)
            || parts.Volumes.Find(volume.Volume) is not { } hosted)
        {
            return volume is not null && parts.Volumes.WhyClosed(volume.Volume) is not null
                ? NotOpen(volume)
                : new ControlError(ControlErrorKind.NotFound, $"There is no volume '{name}' here.");
        }

        return (hosted, below);
    }

    /// <summary>What lies at a path and below it.</summary>
    public async Task<Result<VolumeContents, ControlError>> ContentsOf(
        string path, CancellationToken cancellation)
    {
        if (!FindHosted(path).TryGet(out (IHostedVolume Volume, string Below) place, out ControlError refused))
        {
            return refused;
        }

        Result<VolumeContents, VolumeError> contents = await place.Volume.Contents(place.Below, cancellation);
        return contents.TryGet(out VolumeContents? found, out VolumeError error) ? found : NotThere(path, error);
    }

    /// <summary>Why a new volume cannot be called so.</summary>
    public ControlError? WrongName(string name) => !GivenName.IsValid(name)
        ? new ControlError(ControlErrorKind.InvalidArgument, "A volume's name " + GivenName.Rule)
        : parts.View.State.TryFindVolume(name, out _)
            ? new ControlError(ControlErrorKind.AlreadyExists, $"There is a volume '{name}' already.")
            : null;

    /// <summary>Says who may, and how this node comes to be one of them.</summary>
    public ControlError NotAdmin(string what)
    {
        string admins = string.Join(", ", parts.View.State.ActiveNodes
            .Where(member => member.Role == MemberRole.Admin).Select(member => parts.View.NameOf(member.Node)));
        return new ControlError(
            ControlErrorKind.NotPermitted,
            $"Only admins may {what}, and {parts.Options.Name} is a member. Do it on an admin's node ({admins}), "
            + $"or run `cairn node promote {parts.Options.Name}` there.");
    }

    /// <summary>Why nothing can be said of a volume here.</summary>
    public ControlError NotOpen(PoolVolume volume) => parts.Volumes.WhyClosed(volume.Volume) is { } why
        ? new ControlError(ControlErrorKind.Unreachable, $"{why.Message} {why.Advice}")
        : new ControlError(
            ControlErrorKind.Locked,
            $"This node has no keys of '{volume.Name}' yet, so it cannot say what it has seen there. Wait until an "
            + "admin's node is online, or do it on that.");

    /// <summary>There is none of that name.</summary>
    private static ControlError NoVolume(string name) =>
        new(ControlErrorKind.NotFound, $"There is no volume '{name}'. `cairn volume ls` lists them.");

    /// <summary>Why a path cannot be looked through.</summary>
    public static ControlError NotThere(string path, VolumeError error) =>
        error is VolumeError.NotFound or VolumeError.NotADirectory
            ? new ControlError(ControlErrorKind.NotFound, $"There is no '{path}'.")
            : new ControlError(ControlErrorKind.Unreachable, $"'{path}' cannot be read through now: {error}.");
}
