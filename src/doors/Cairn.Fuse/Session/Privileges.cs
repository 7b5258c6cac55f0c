using Cairn.Core.Primitives;
using Cairn.Fuse.Abi;
using Cairn.Node.Volumes;

namespace Cairn.Fuse.Session;

/// <summary>Takes set-user-id and set-group-id off a file that was written, cut or given away.</summary>
/// <remarks>
/// FUSE_HANDLE_KILLPRIV_V2 makes that the server's duty; without it the kernel would ask for security.capability before
/// every write. The kernel does not look at the mode afterwards, so it is told to ask again before the reply.
/// </remarks>
internal sealed class Privileges(IVolume volume)
{
    /// <summary>Set when the channel is there.</summary>
    public Invalidation? Invalidation { get; set; }

    /// <summary>
    /// The mode without them: set-group-id means something else where the group may not execute. Null: no change.
    /// </summary>
    public static uint? ModeWithout(in ObjectAttributes attributes)
    {
        if (attributes.Kind != ObjectKind.File)
        {
            return null;
        }

        uint mode = attributes.Mode & ~Linux.ModeSetUserId;
        if ((mode & Linux.ModeGroupExecute) != 0)
        {
            mode &= ~Linux.ModeSetGroupId;
        }

        return mode == attributes.Mode ? null : mode;
    }

    public async ValueTask Drop(InodeNumber inode, Caller caller)
    {
        Result<ObjectAttributes, VolumeError> before = await volume.GetAttributes(inode).ConfigureAwait(false);
        if (before.IsOk && ModeWithout(before.Value) is { } mode)
        {
            await volume.SetAttributes(inode, new AttributeChange { Mode = mode }, null, caller).ConfigureAwait(false);
            Invalidation?.DropAttributesNow(inode);
        }
    }
}
