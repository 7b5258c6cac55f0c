using System.Buffers;
using System.Globalization;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Volumes;
using Microsoft.AspNetCore.Http;

namespace Cairn.Gateway.Control;

/// <summary>A file's bytes, out of a volume and into it.</summary>
internal static class ContentRoutes
{
    private const int BufferBytes = 1 << 20;
    private const uint PermissionBits = 0x1FF;   // 0777

    /// <summary>Sends a file. What breaks off in the middle aborts the connection, so that no part passes for the whole.</summary>
    public static async Task<IResult> Read(HttpContext context, IVolume volume, string path)
    {
        if (!(await volume.Resolve(path)).TryGet(out ObjectAttributes attributes, out VolumeError error))
        {
            return ControlReplies.Refuse(volume, path, error);
        }

        if (attributes.Kind != ObjectKind.File)
        {
            error = attributes.Kind == ObjectKind.Directory ? VolumeError.IsADirectory : VolumeError.InvalidArgument;
            return ControlReplies.Refuse(volume, path, error);
        }

        Result<OpenedFile, VolumeError> open = await volume.Open(
            attributes.Inode, OpenIntent.Read | OpenIntent.Steady, Caller.Daemon);
        if (!open.TryGet(out OpenedFile opened, out error))
        {
            return ControlReplies.Refuse(volume, path, error);
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

    /// <summary>Replaces a file's content in one step; <c>mode</c> is for a file that is not there yet.</summary>
    public static async Task<IResult> Write(HttpContext context, WholeFiles files, IVolume volume, string path)
    {
        string asked = context.Request.Query["mode"].ToString();
        bool isMode = uint.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out uint mode)
            && mode <= PermissionBits;
        if (asked.Length > 0 && !isMode)
        {
            return ControlReplies.Refuse(new ControlError(
                ControlErrorKind.InvalidArgument, $"'{asked}' is not a mode: 0 to {PermissionBits}."));
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        Memory<byte> whole = buffer.AsMemory(0, BufferBytes);
        try
        {
            // The beginning is here before there is a file: one that nobody has written into yet is nobody's, if the daemon dies.
            int first = await Receive(context, whole);
            Result<Unit, VolumeError> put = await files.Put(
                volume, path, isMode ? mode : null, async handle => await Fill(context, volume, handle, whole, first));
            return put.TryGet(out _, out VolumeError error)
                ? Results.NoContent()
                : ControlReplies.Refuse(volume, path, error);
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            return ControlReplies.Refuse(volume, path, VolumeError.Interrupted);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
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
                return ControlReplies.Refuse(volume, path, read.IsOk ? VolumeError.NoData : read.Error);
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

    private static ValueTask<int> Receive(HttpContext context, Memory<byte> whole) =>
        context.Request.Body.ReadAtLeastAsync(
            whole, whole.Length, throwOnEndOfStream: false, context.RequestAborted);

    private static async Task<Result<Unit, VolumeError>> Fill(
        HttpContext context, IVolume volume, OpenHandle handle, Memory<byte> whole, int first)
    {
        try
        {
            long offset = 0;
            for (int count = first; count > 0; count = await Receive(context, whole))
            {
                // A volume that runs full takes a part, and refuses the rest.
                for (long end = offset + count; offset < end;)
                {
                    ReadOnlyMemory<byte> rest = whole[(count - (int)(end - offset))..count];
                    Result<int, VolumeError> written = await volume.Write(handle, offset, rest);
                    if (!written.TryGet(out int taken, out VolumeError error))
                    {
                        return error;
                    }

                    offset += taken;
                }
            }

            // An empty file has no bytes to sync, and no draft by which the next start would know it.
            return first > 0 ? await volume.Sync(handle, dataOnly: true) : Unit.Value;
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            return VolumeError.Interrupted;
        }
    }
}
