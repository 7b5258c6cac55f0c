using Cairn.Core.Primitives;
using Cairn.Core.Text;
using Cairn.Node.Control;
using Cairn.Node.Volumes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Cairn.Gateway.Control;

/// <summary>Files without a mount, by <c>VOLUME/path</c>: list, stat, make, move, remove.</summary>
/// <remarks>What is in a file: <see cref="ContentRoutes"/>.</remarks>
internal static class FileRoutes
{
    private const int EntriesPerStep = 1024;

    /// <summary>An entry's directory and its name there: what changes to names take.</summary>
    private readonly record struct Place(InodeNumber Parent, ReadOnlyMemory<byte> Name);

    public static void Map(WebApplication app, INodeControl node, EngineCalls engine)
    {
        Func<HttpContext, Task<IResult>> On(Func<HttpContext, IVolume, string, Task<IResult>> act) =>
            context => VolumeCall.With(context, node, engine, act);

        Route.Get(app, "/v1/files/stat", On(Stat));
        Route.Get(app, "/v1/files/list", On(List));
        Route.Get(app, "/v1/files/content", On(ContentRoutes.Read));
        WholeFiles files = new(node.Self);
        Route.Put(
            app, "/v1/files/content",
            On((context, volume, path) => ContentRoutes.Write(context, files, volume, path)));
        Route.Post(app, "/v1/files/directory", On(MakeDirectory));
        Route.Delete(app, "/v1/files", On(Remove));
        Route.Post(app, "/v1/files/move", On(Move));
    }

    private static async Task<IResult> Stat(HttpContext context, IVolume volume, string path)
    {
        if (!(await volume.Resolve(path)).TryGet(out ObjectAttributes attributes, out VolumeError error))
        {
            return ControlReplies.Refuse(volume, path, error);
        }

        EntrySummary entry = EntrySummary.From(volume, LastName(path, volume), attributes);
        return ControlReplies.Json(entry, ControlJson.Default.EntrySummary);
    }

    private static async Task<IResult> List(HttpContext context, IVolume volume, string path)
    {
        if (!(await volume.Resolve(path)).TryGet(out ObjectAttributes attributes, out VolumeError error))
        {
            return ControlReplies.Refuse(volume, path, error);
        }

        if (attributes.Kind != ObjectKind.Directory)
        {
            EntrySummary only = EntrySummary.From(volume, LastName(path, volume), attributes);
            return ControlReplies.Json([only], ControlJson.Default.IReadOnlyListEntrySummary);
        }

        List<EntrySummary> entries = [];
        for (ulong cookie = 0; ;)
        {
            Result<IReadOnlyList<DirectoryEntry>, VolumeError> read =
                await volume.ReadDirectory(attributes.Inode, cookie, EntriesPerStep);
            if (!read.TryGet(out IReadOnlyList<DirectoryEntry>? step, out error))
            {
                return ControlReplies.Refuse(volume, path, error);
            }

            entries.AddRange(step.Select(entry => EntrySummary.From(
                volume, NameText.Of(entry.Name.Span), entry.Attributes)));
            if (step.Count < EntriesPerStep)
            {
                break;
            }

            cookie = step[^1].Cookie;
        }

        entries.Sort((left, right) => string.CompareOrdinal(left.Name, right.Name));
        return ControlReplies.Json(entries, ControlJson.Default.IReadOnlyListEntrySummary);
    }

    private static async Task<IResult> MakeDirectory(HttpContext context, IVolume volume, string path) =>
        Outcome(volume, path, await volume.MakeDirectories(path, Route.Flag(context, "parents"), Caller.Daemon));

    private static async Task<IResult> Remove(HttpContext context, IVolume volume, string path) =>
        (await Find(volume, path)).TryGet(out Place place, out VolumeError error)
            ? Outcome(volume, path, await volume.Remove(
                place.Parent, place.Name, Route.Flag(context, "recursive"), Caller.Daemon))
            : ControlReplies.Refuse(volume, path, error);

    private static async Task<IResult> Move(HttpContext context, IVolume volume, string path)
    {
        string target = context.Request.Query["target"].ToString();
        if (!(await Find(volume, path)).TryGet(out Place from, out VolumeError error))
        {
            return ControlReplies.Refuse(volume, path, error);
        }

        // A directory takes the source in; any other target is its new name.
        Result<ObjectAttributes, VolumeError> existing = await volume.Resolve(target);
        Result<Place, VolumeError> found = existing.IsOk && existing.Value.Kind == ObjectKind.Directory
            ? new Place(existing.Value.Inode, from.Name)
            : await Find(volume, target);
        return found.TryGet(out Place to, out error)
            ? Outcome(volume, path, await volume.Rename(
                from.Parent, from.Name, to.Parent, to.Name, RenameMode.Replace, Caller.Daemon))
            : ControlReplies.Refuse(volume, target, error);
    }

    private static async Task<Result<Place, VolumeError>> Find(IVolume volume, string path)
    {
        Result<(InodeNumber Parent, ReadOnlyMemory<byte> Name), VolumeError> found = await volume.ResolveParent(path);
        return found.IsOk ? new Place(found.Value.Parent, found.Value.Name) : found.Error;
    }

    private static IResult Outcome<T>(IVolume volume, string path, Result<T, VolumeError> done) =>
        done.TryGet(out _, out VolumeError error) ? Results.NoContent() : ControlReplies.Refuse(volume, path, error);

    private static string LastName(string path, IVolume volume) =>
        path.Split('/', StringSplitOptions.RemoveEmptyEntries) is [.., string last] ? last : volume.Name;
}
