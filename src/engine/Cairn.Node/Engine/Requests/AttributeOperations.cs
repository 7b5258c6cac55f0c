using System.Text;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;
using Cairn.Node.Volumes;

namespace Cairn.Node.Engine.Requests;

/// <summary>Attributes and extended attributes of objects.</summary>
internal sealed class AttributeOperations(VolumeState state, PresenceOperations presence)
{
    public Result<ObjectAttributes, VolumeError> Get(InodeNumber inode)
    {
        lock (state.Gate)
        {
            return state.View(inode).TryGet(out ObjectView? view, out VolumeError error) ? state.Describe(view) : error;
        }
    }

    /// <summary>Everything but the size, which belongs to the file's content.</summary>
    public Result<ObjectAttributes, VolumeError> Set(InodeNumber inode, in AttributeChange change, bool isTimeOfDraft)
    {
        lock (state.Gate)
        {
            if (!state.View(inode).TryGet(out ObjectView? view, out VolumeError error))
            {
                return error;
            }

            WallTime? modified = isTimeOfDraft ? null : change.Modified;
            if (state.Commit(state.Edits.SetAttributes(
                    view.Id, change.Mode, change.UserId, change.GroupId, modified)) is { } failed)
            {
                return failed;
            }

            state.TellObject(inode, contentChanged: false);
            return state.Describe(state.Queries.Get(view.Id)!);
        }
    }

    public Result<ReadOnlyMemory<byte>, VolumeError> GetExtended(InodeNumber inode, ReadOnlyMemory<byte> name)
    {
        lock (state.Gate)
        {
            if (!state.View(inode).TryGet(out ObjectView? view, out VolumeError error))
            {
                return error;
            }

            if (IsPresence(name))
            {
                IReadOnlyList<string> elsewhere = presence.Elsewhere(inode);
                return elsewhere.Count == 0 ? VolumeError.NoAttribute
                    : (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes(string.Join('\n', elsewhere));
            }

            return state.Queries.ExtendedAttribute(view.Id, name.Span) is { } value ? value : VolumeError.NoAttribute;
        }
    }

    public Result<Unit, VolumeError> SetExtended(
        InodeNumber inode, ReadOnlyMemory<byte> name, ReadOnlyMemory<byte> value, AttributeWriteMode mode)
    {
        lock (state.Gate)
        {
            if (!state.View(inode).TryGet(out ObjectView? view, out VolumeError error))
            {
                return error;
            }

            VolumeError? failed = IsPresence(name) ? VolumeError.NotPermitted : state.Commit(
                state.Edits.SetExtendedAttribute(view.Id, name.ToArray(), value.ToArray(), (AttributeMode)mode));
            return Done(inode, failed);
        }
    }

    public Result<Unit, VolumeError> RemoveExtended(InodeNumber inode, ReadOnlyMemory<byte> name)
    {
        lock (state.Gate)
        {
            return state.View(inode).TryGet(out ObjectView? view, out VolumeError error)
                ? Done(inode, state.Commit(state.Edits.RemoveExtendedAttribute(view.Id, name.ToArray())))
                : error;
        }
    }

    public Result<IReadOnlyList<ReadOnlyMemory<byte>>, VolumeError> ListExtended(InodeNumber inode)
    {
        lock (state.Gate)
        {
            return state.View(inode).TryGet(out ObjectView? view, out VolumeError error)
                ? Result<IReadOnlyList<ReadOnlyMemory<byte>>, VolumeError>.Ok(state.Queries.ExtendedAttributes(view.Id))
                : error;
        }
    }

    private static bool IsPresence(ReadOnlyMemory<byte> name) =>
        name.Span.SequenceEqual(PresenceOperations.Attribute);

    private Result<Unit, VolumeError> Done(InodeNumber inode, VolumeError? failed)
    {
        if (failed is { } error)
        {
            return error;
        }

        state.TellObject(inode, contentChanged: false);
        return Unit.Value;
    }
}
