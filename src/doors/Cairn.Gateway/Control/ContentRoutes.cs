using System.Buffers;
using System.Text;
using Cairn.Core.Primitives;
using Cairn.Node.Volumes;
using Microsoft.AspNetCore.Http;

namespace Cairn.Gateway.Control;

/// <summary>A file's bytes, out of a volume and into it.</summary>
internal static class ContentRoutes
{
    private const int BufferBytes = 1 << 20;
    private const uint FileMode = 0x1A4;   // 0644

    /// <summary>Sends a file. What breaks off in the middle aborts the connection, so that no part passes for the whole.</summary>
    public static async Task<IResult> Read(HttpContext context, IVolume volume, string path)
    {
        if (!(await volume.Resolve(path)).TryGet(out ObjectAttributes attributes, out VolumeError error))
        {
            return ControlReplies.Refuse(path, error);
        }

        if (attributes.Kind != ObjectKind.File)
        {
            bool isDirectory = attributes.Kind == ObjectKind.Directory;
            return ControlReplies.Refuse(path, isDirectory ? VolumeError.IsADirectory : VolumeError.InvalidArgument);
        }

        Result<OpenedFile, VolumeError> open = await volume.Open(attributes.Inode, OpenIntent.Read, Caller.Daemon);
        if (!open.TryGet(out OpenedFile opened, out error))
        {
            return ControlReplies.Refuse(path, error);
        }

        return await SendAndClose(context, volume, path, opened);
    }

    /// <summary>Sends an open file, and closes it.</summary>
    public static async Task<IResult> SendAndClose(HttpContext context, IVolume volume, string path, OpenedFile opened)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            return await Send(context, volume, path, opened, buffer);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            await volume.Release(opened.Handle);
        }
    }

    /// <summary>Writes beside the target and renames over it, so that readers see the old content or the new, never a part.</summary>
    public static async Task<IResult> Write(HttpContext context, IVolume volume, string path)
    {
        Result<(InodeNumber Parent, ReadOnlyMemory<byte> Name), VolumeError> found = await volume.ResolveParent(path);
        if (!found.TryGet(out (InodeNumber Parent, ReadOnlyMemory<byte> Name) place, out VolumeError error))
        {
            return ControlReplies.Refuse(path, error);
        }

        string unique = context.TraceIdentifier.Replace(':', '-');
        ReadOnlyMemory<byte> temporary = Encoding.UTF8.GetBytes($".cairn-put-{unique}");
        Result<OpenedFile, VolumeError> created = await volume.Create(
            place.Parent, temporary, FileMode, OpenIntent.Write | OpenIntent.Exclusive, Caller.Daemon);
        if (!created.TryGet(out OpenedFile opened, out error))
        {
            return ControlReplies.Refuse(path, error);
        }

        Result<Unit, VolumeError> written = await Fill(context, volume, opened.Handle);
        Result<Unit, VolumeError> released = await volume.Release(opened.Handle);
        Result<Unit, VolumeError> outcome = written.IsOk ? released : written;
        if (outcome.IsOk)
        {
            outcome = await volume.Rename(
                place.Parent, temporary, place.Parent, place.Name, RenameMode.Replace, Caller.Daemon);
        }

        if (outcome.TryGet(out _, out error))
        {
            return Results.NoContent();
        }

        await volume.Unlink(place.Parent, temporary, Caller.Daemon);
        return ControlReplies.Refuse(path, error);
    }

    private static async Task<IResult> Send(
        HttpContext context, IVolume volume, string path, OpenedFile opened, byte[] buffer)
    {
        long size = opened.Attributes.SizeBytes;
        context.Response.ContentLength = size;
        for (long offset = 0; offset < size;)
        {
            Result<int, VolumeError> read = await volume.Read(opened.Handle, offset, buffer.AsMemory(0, BufferBytes));
            int count = read.IsOk ? read.Value : 0;
            if (count == 0 && offset == 0)
            {
                context.Response.ContentLength = null;
                return ControlReplies.Refuse(path, read.IsOk ? VolumeError.NoData : read.Error);
            }

            if (count == 0)
            {
                context.Abort();
                break;
            }

            await context.Response.Body.WriteAsync(buffer.AsMemory(0, count), context.RequestAborted);
            offset += count;
        }

        return Results.Empty;
    }

    private static async Task<Result<Unit, VolumeError>> Fill(HttpContext context, IVolume volume, OpenHandle handle)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        Memory<byte> whole = buffer.AsMemory(0, BufferBytes);
        try
        {
            for (long offset = 0; ;)
            {
                int count = await context.Request.Body.ReadAtLeastAsync(
                    whole, BufferBytes, throwOnEndOfStream: false, context.RequestAborted);
                if (count == 0)
                {
                    return await volume.Sync(handle, dataOnly: true);
                }

                Result<int, VolumeError> written = await volume.Write(handle, offset, whole[..count]);
                if (!written.TryGet(out _, out VolumeError error))
                {
                    return error;
                }

                offset += count;
            }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            return VolumeError.Interrupted;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
