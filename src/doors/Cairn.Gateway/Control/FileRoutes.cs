using System.Buffers;
using System.Text;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Volumes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Cairn.Gateway.Control;

/// <summary>Files without a mount: list, stat, read, write, make, move, remove, by <c>VOLUME/path</c>.</summary>
internal static class FileRoutes
{
    private const int BufferBytes = 1 << 20;
    private const int EntriesPerStep = 1024;
    private const uint FileMode = 0x1A4;   // 0644

    public static void Map(WebApplication app, INodeControl node, EngineCalls engine)
    {
        Route.Get(app, "/v1/files/stat", context => With(context, node, engine, async (volume, path) =>
            (await volume.Resolve(path)).TryGet(out ObjectAttributes attributes, out VolumeError error)
                ? ControlReplies.Json(EntrySummary.From(LastName(path, volume), attributes), ControlJson.Default.EntrySummary)
                : ControlReplies.Refuse(path, error)));
        Route.Get(app, "/v1/files/list", context => With(context, node, engine, List));
        Route.Get(app, "/v1/files/content", context => With(context, node, engine, (volume, path) => Read(context, volume, path)));
        Route.Put(app, "/v1/files/content", context => With(context, node, engine, (volume, path) => Write(context, volume, path)));
        Route.Post(app, "/v1/files/directory", context => With(context, node, engine, async (volume, path) =>
            (await volume.MakeDirectories(path, Route.Flag(context, "parents"), Caller.Daemon)).TryGet(out _, out VolumeError error)
                ? Results.NoContent()
                : ControlReplies.Refuse(path, error)));
        Route.Delete(app, "/v1/files", context => With(context, node, engine, (volume, path) => Remove(context, volume, path)));
        Route.Post(app, "/v1/files/move", context => With(context, node, engine, (volume, path) => Move(context, volume, path)));
    }

    private static async Task<IResult> List(IVolume volume, string path)
    {
        if (!(await volume.Resolve(path)).TryGet(out ObjectAttributes attributes, out VolumeError error))
        {
            return ControlReplies.Refuse(path, error);
        }

        if (attributes.Kind != ObjectKind.Directory)
        {
            EntrySummary only = EntrySummary.From(LastName(path, volume), attributes);
            return ControlReplies.Json([only], ControlJson.Default.IReadOnlyListEntrySummary);
        }

        List<EntrySummary> entries = [];
        for (ulong cookie = 0; ;)
        {
            if (!(await volume.ReadDirectory(attributes.Inode, cookie, EntriesPerStep)).TryGet(out IReadOnlyList<DirectoryEntry>? step, out error))
            {
                return ControlReplies.Refuse(path, error);
            }

            entries.AddRange(step.Select(entry => EntrySummary.From(Encoding.UTF8.GetString(entry.Name.Span), entry.Attributes)));
            if (step.Count < EntriesPerStep)
            {
                break;
            }

            cookie = step[^1].Cookie;
        }

        entries.Sort((left, right) => string.CompareOrdinal(left.Name, right.Name));
        return ControlReplies.Json(entries, ControlJson.Default.IReadOnlyListEntrySummary);
    }

    private static async Task<IResult> Read(HttpContext context, IVolume volume, string path)
    {
        if (!(await volume.Resolve(path)).TryGet(out ObjectAttributes attributes, out VolumeError error))
        {
            return ControlReplies.Refuse(path, error);
        }

        if (attributes.Kind != ObjectKind.File)
        {
            return ControlReplies.Refuse(path, attributes.Kind == ObjectKind.Directory ? VolumeError.IsADirectory : VolumeError.InvalidArgument);
        }

        if (!(await volume.Open(attributes.Inode, OpenIntent.Read, Caller.Daemon)).TryGet(out OpenedFile opened, out error))
        {
            return ControlReplies.Refuse(path, error);
        }

        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            context.Response.ContentLength = opened.Attributes.SizeBytes;
            for (long offset = 0; offset < opened.Attributes.SizeBytes;)
            {
                Result<int, VolumeError> read = await volume.Read(opened.Handle, offset, buffer.AsMemory(0, BufferBytes));
                if (!read.TryGet(out int count, out error) || count == 0)
                {
                    if (offset == 0)
                    {
                        context.Response.ContentLength = null;
                        return ControlReplies.Refuse(path, error);
                    }

                    context.Abort();
                    return Results.Empty;
                }

                await context.Response.Body.WriteAsync(buffer.AsMemory(0, count), context.RequestAborted);
                offset += count;
            }

            return Results.Empty;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            await volume.Release(opened.Handle);
        }
    }

    /// <summary>Writes beside the target and renames over it, so that readers see the old content or the new, never a part.</summary>
    private static async Task<IResult> Write(HttpContext context, IVolume volume, string path)
    {
        if (!(await volume.ResolveParent(path)).TryGet(out (InodeNumber Parent, ReadOnlyMemory<byte> Name) place, out VolumeError error))
        {
            return ControlReplies.Refuse(path, error);
        }

        ReadOnlyMemory<byte> temporary = Encoding.UTF8.GetBytes($".cairn-put-{context.TraceIdentifier.Replace(':', '-')}");
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
            outcome = await volume.Rename(place.Parent, temporary, place.Parent, place.Name, RenameMode.Replace, Caller.Daemon);
        }

        if (outcome.TryGet(out _, out error))
        {
            return Results.NoContent();
        }

        await volume.Unlink(place.Parent, temporary, Caller.Daemon);
        return ControlReplies.Refuse(path, error);
    }

    private static async Task<Result<Unit, VolumeError>> Fill(HttpContext context, IVolume volume, OpenHandle handle)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            long offset = 0;
            for (int count; (count = await context.Request.Body.ReadAtLeastAsync(
                buffer.AsMemory(0, BufferBytes), BufferBytes, throwOnEndOfStream: false, context.RequestAborted)) > 0; offset += count)
            {
                Result<int, VolumeError> written = await volume.Write(handle, offset, buffer.AsMemory(0, count));
                if (!written.TryGet(out _, out VolumeError error))
                {
                    return error;
                }
            }

            return await volume.Sync(handle, dataOnly: true);
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

    private static async Task<IResult> Remove(HttpContext context, IVolume volume, string path)
    {
        if (!(await volume.ResolveParent(path)).TryGet(out (InodeNumber Parent, ReadOnlyMemory<byte> Name) place, out VolumeError error))
        {
            return ControlReplies.Refuse(path, error);
        }

        return (await volume.Remove(place.Parent, place.Name, Route.Flag(context, "recursive"), Caller.Daemon)).TryGet(out _, out error)
            ? Results.NoContent()
            : ControlReplies.Refuse(path, error);
    }

    private static async Task<IResult> Move(HttpContext context, IVolume volume, string path)
    {
        string target = context.Request.Query["target"].ToString();
        if (!(await volume.ResolveParent(path)).TryGet(out (InodeNumber Parent, ReadOnlyMemory<byte> Name) from, out VolumeError error))
        {
            return ControlReplies.Refuse(path, error);
        }

        if ((await volume.Resolve(target)).TryGet(out ObjectAttributes existing, out _) && existing.Kind == ObjectKind.Directory)
        {
            Result<Unit, VolumeError> into = await volume.Rename(
                from.Parent, from.Name, existing.Inode, from.Name, RenameMode.Replace, Caller.Daemon);
            return into.TryGet(out _, out error) ? Results.NoContent() : ControlReplies.Refuse(target, error);
        }

        if (!(await volume.ResolveParent(target)).TryGet(out (InodeNumber Parent, ReadOnlyMemory<byte> Name) to, out error))
        {
            return ControlReplies.Refuse(target, error);
        }

        return (await volume.Rename(from.Parent, from.Name, to.Parent, to.Name, RenameMode.Replace, Caller.Daemon)).TryGet(out _, out error)
            ? Results.NoContent()
            : ControlReplies.Refuse(path, error);
    }

    private static async Task<IResult> With(
        HttpContext context, INodeControl node, EngineCalls engine, Func<IVolume, string, Task<IResult>> act)
    {
        if (!Route.Required(context, "volume").TryGet(out string? name, out ControlError error)
            || !(await engine.Call(() => node.Volume(name, context.RequestAborted))).TryGet(out IVolume? volume, out error))
        {
            return ControlReplies.Refuse(error);
        }

        return await act(volume, context.Request.Query["path"].ToString());
    }

    private static string LastName(string path, IVolume volume) =>
        path.Split('/', StringSplitOptions.RemoveEmptyEntries) is [.., string last] ? last : volume.Name;
}
