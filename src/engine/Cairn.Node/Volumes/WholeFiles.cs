using System.Security.Cryptography;
using System.Text;
using Cairn.Core.Primitives;

namespace Cairn.Node.Volumes;

/// <summary>
/// Replaces files whole: written beside the target and renamed over it, so that readers see the old content or the new.
/// </summary>
/// <remarks>
/// What is being written has a name that follows from the target's and the node: when a daemon dies in the middle, its next
/// start takes away what it left, or, if nothing was written yet, the next attempt does. Thread: any.
/// </remarks>
/// <param name="self">Whose writing it is: another node's must not be taken for a leftover.</param>
public sealed class WholeFiles(NodeId self)
{
    private const string NameStart = ".cairn-put-";
    private const uint ModeDefault = 0x1A4;   // 0644

    private readonly HashSet<(VolumeId Volume, InodeNumber Folder, string Name)> _underWay = [];

    /// <summary>Whether an entry is content that is still being written, or was when its daemon died.</summary>
    /// <param name="path">Names joined by '/'.</param>
    public static bool IsUnfinished(string path) =>
        path.AsSpan(path.LastIndexOf('/') + 1).StartsWith(NameStart, StringComparison.Ordinal);

    /// <summary>Whether a name is of content that a node's daemon is writing, or was when it died.</summary>
    public static bool IsUnfinishedOf(NodeId node, string name) =>
        name.StartsWith($"{NameStart}{node.Short}-", StringComparison.Ordinal);

    /// <summary>Makes or replaces a file, which keeps its mode and its owner.</summary>
    /// <param name="volume">Where.</param>
    /// <param name="path">The file, below the volume.</param>
    /// <param name="newMode">Permission bits of a file that is not there yet; null for 0644.</param>
    /// <param name="fill">Writes the content.</param>
    public async ValueTask<Result<Unit, VolumeError>> Put(
        IVolume volume, string path, uint? newMode, Func<OpenHandle, ValueTask<Result<Unit, VolumeError>>> fill)
    {
        Result<(InodeNumber Parent, ReadOnlyMemory<byte> Name), VolumeError> found = await volume.ResolveParent(path);
        if (!found.TryGet(out (InodeNumber Folder, ReadOnlyMemory<byte> Name) place, out VolumeError error))
        {
            return error;
        }

        Result<ObjectAttributes, VolumeError> existing = await volume.Lookup(place.Folder, place.Name);
        if (existing is { IsOk: true, Value.Kind: ObjectKind.Directory })
        {
            return VolumeError.IsADirectory;
        }

        ObjectAttributes? replaced =
            existing is { IsOk: true, Value.Kind: ObjectKind.File } ? existing.Value : null;
        string name = Claim(volume.Id, place.Folder, place.Name.Span);
        byte[] temporary = Encoding.UTF8.GetBytes(name);
        try
        {
            OpenIntent where = await volume.StaysHere(place.Folder, place.Name) ? OpenIntent.Here : OpenIntent.None;
            Result<Unit, VolumeError> done = await Write(
                volume, place.Folder, temporary, replaced, replaced?.Mode ?? newMode ?? ModeDefault, where, fill);
            done = done.IsOk
                ? await volume.Rename(
                    place.Folder, temporary, place.Folder, place.Name, RenameMode.Replace, Caller.Daemon)
                : done;
            if (!done.IsOk)
            {
                await volume.Unlink(place.Folder, temporary, Caller.Daemon);
            }

            return done;
        }
        finally
        {
            lock (_underWay)
            {
                _underWay.Remove((volume.Id, place.Folder, name));
            }
        }
    }

    private static async ValueTask<Result<Unit, VolumeError>> Write(
        IVolume volume, InodeNumber folder, byte[] temporary, ObjectAttributes? replaced, uint mode, OpenIntent where,
        Func<OpenHandle, ValueTask<Result<Unit, VolumeError>>> fill)
    {
        Result<OpenedFile, VolumeError> created = await Create(volume, folder, temporary, mode, where);
        if (!created.IsOk && created.Error == VolumeError.AlreadyExists)
        {
            // Left by a daemon that died.
            await volume.Unlink(folder, temporary, Caller.Daemon);
            created = await Create(volume, folder, temporary, mode, where);
        }

        if (!created.TryGet(out OpenedFile opened, out VolumeError error))
        {
            return error;
        }

        Result<Unit, VolumeError> written = Unit.Value;
        ObjectAttributes made = opened.Attributes;
        if (replaced is { } owned
            && (owned.Mode, owned.UserId, owned.GroupId) != (made.Mode, made.UserId, made.GroupId))
        {
            AttributeChange same = new() { Mode = owned.Mode, UserId = owned.UserId, GroupId = owned.GroupId };
            Result<ObjectAttributes, VolumeError> kept = await volume.SetAttributes(
                made.Inode, same, opened.Handle, Caller.Daemon);
            written = kept.IsOk ? Unit.Value : kept.Error;
        }

        written = written.IsOk ? await fill(opened.Handle) : written;
        Result<Unit, VolumeError> released = await volume.Release(opened.Handle);
        return written.IsOk ? released : written;
    }

    private static ValueTask<Result<OpenedFile, VolumeError>> Create(
        IVolume volume, InodeNumber folder, byte[] name, uint mode, OpenIntent where) =>
        volume.Create(folder, name, mode, OpenIntent.Write | OpenIntent.Exclusive | where, Caller.Daemon);

    /// <summary>The name for what is being written; another one for each that replaces the same file at the same time.</summary>
    private string Claim(VolumeId volume, InodeNumber folder, ReadOnlySpan<byte> target)
    {
        string name = $"{NameStart}{self.Short}-{Convert.ToHexStringLower(SHA256.HashData(target).AsSpan(0, 8))}";
        lock (_underWay)
        {
            string free = name;
            for (int others = 1; !_underWay.Add((volume, folder, free)); others++)
            {
                free = $"{name}-{others}";
            }

            return free;
        }
    }
}
