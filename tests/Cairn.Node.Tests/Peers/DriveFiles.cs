using System.Text;
using Cairn.Core.Primitives;
using Cairn.Node.Volumes;

namespace Cairn.Node.Tests.Peers;

/// <summary>Whole files in the drive of a bench's node, as a door would write and read them.</summary>
internal static class DriveFiles
{
    /// <summary>Writes a file as `cp` does: created, written, closed. Ok: all of it was acknowledged.</summary>
    public static Result<Unit, VolumeError> Put(
        this PoolBench bench, BenchNode node, string name, byte[] content, string drive = "shared") =>
        bench.Do(node, () => Write(node.FindDrive(drive)!, name, content));

    /// <summary>As <see cref="Put"/>, in a node's own process.</summary>
    public static async Task<Result<Unit, VolumeError>> Write(IVolume volume, string name, byte[] content)
    {
        Result<(InodeNumber Parent, ReadOnlyMemory<byte> Name), VolumeError> place = await volume.ResolveParent(name);
        if (!place.TryGet(out (InodeNumber Parent, ReadOnlyMemory<byte> Name) at, out VolumeError error)
            || !(await volume.Create(at.Parent, at.Name, 0x1A4, OpenIntent.Write, Caller.Daemon))
                .TryGet(out OpenedFile opened, out error))
        {
            return error;
        }

        Result<int, VolumeError> written = 0;
        for (int done = 0; done < content.Length && written.IsOk; done += written.IsOk ? written.Value : 0)
        {
            written = await volume.Write(opened.Handle, done, content.AsMemory(done));
        }

        await volume.Flush(opened.Handle, 0);
        await volume.Release(opened.Handle);
        return written.TryGet(out _, out error) ? Unit.Value : Result<Unit, VolumeError>.Fail(error);
    }

    /// <summary>Gives a file an extended attribute of so many bytes.</summary>
    public static Result<Unit, VolumeError> SetAttribute(
        this PoolBench bench, BenchNode node, string name, int bytes) =>
        bench.Do(node, async () => (await node.Drive.Resolve(name)).TryGet(
            out ObjectAttributes attributes, out VolumeError error)
            ? await node.Drive.SetExtendedAttribute(
                attributes.Inode, "user.x"u8.ToArray(), bench.Bytes(bytes), AttributeWriteMode.Any, Caller.Daemon)
            : error);

    /// <summary>Reads a file whole; null when it cannot be found or read here.</summary>
    public static byte[]? Get(this PoolBench bench, BenchNode node, string name) =>
        bench.Do(node, () => Read(node.Drive, name));

    /// <summary>Reads a file whole; null when it cannot be found or read.</summary>
    public static async Task<byte[]?> Read(IVolume volume, string name)
    {
        Result<ObjectAttributes, VolumeError> found = await volume.Resolve(name);
        if (!found.TryGet(out ObjectAttributes attributes, out _))
        {
            return null;
        }

        Result<OpenedFile, VolumeError> opened = await volume.Open(attributes.Inode, OpenIntent.Read, Caller.Daemon);
        byte[] content = new byte[attributes.SizeBytes];
        int at = 0;
        while (at < content.Length)
        {
            Result<int, VolumeError> read = await volume.Read(opened.Value.Handle, at, content.AsMemory(at));
            if (!read.TryGet(out int count, out _) || count == 0)
            {
                break;
            }

            at += count;
        }

        await volume.Release(opened.Value.Handle);
        return at == content.Length ? content : null;
    }

    /// <summary>Removes a file.</summary>
    public static bool Delete(
        this PoolBench bench, BenchNode node, string name, string drive = "shared") => bench.Do(node, async () =>
        (await node.FindDrive(drive)!.Unlink(InodeNumber.Root, Encoding.UTF8.GetBytes(name), Caller.Daemon)).IsOk);
}
