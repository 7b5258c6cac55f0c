using Cairn.Core.Log;
using Cairn.Core.Manifests;
using Cairn.Core.Primitives;
using Cairn.Core.Text;
using Cairn.Core.Tree;
using Cairn.Node.ReadPath;
using Cairn.Node.Volumes;
using Cairn.Node.WritePath;

namespace Cairn.Node.Engine.Requests;

/// <summary>Open files: opening, reading, writing, cutting, closing.</summary>
internal sealed class FileOperations(
    VolumeState state, ContentReader reader, DraftWriter writer, PresenceOperations presence, Action signal)
{
    /// <summary>Makes and opens a file, or opens the one that is there.</summary>
    public Result<OpenedFile, VolumeError> Create(
        InodeNumber parent, ReadOnlyMemory<byte> name, uint mode, OpenIntent intent, Caller caller)
    {
        lock (state.Gate)
        {
            if (!state.Directory(parent).TryGet(out ObjectId directory, out VolumeError error))
            {
                return error;
            }

            if (state.Queries.Lookup(directory, name) is { } existing)
            {
                return (intent & OpenIntent.Exclusive) != 0
                    ? VolumeError.AlreadyExists
                    : Open(state.Queries.Get(existing.Object)!, intent);
            }

            NewObject made = state.NewIn(directory, mode, caller, isDirectory: false);
            if (state.Commit(state.Edits.CreateFile(directory, name.ToArray(), made)) is { } failed)
            {
                return failed;
            }

            state.TellEntry(parent, name);
            return Open(state.Queries.Get(made.Id)!, intent & ~OpenIntent.Truncate);
        }
    }

    /// <summary>Opens a file.</summary>
    public Result<OpenedFile, VolumeError> Open(InodeNumber inode, OpenIntent intent)
    {
        lock (state.Gate)
        {
            return state.View(inode).TryGet(out ObjectView? view, out VolumeError error) ? Open(view, intent) : error;
        }
    }

    /// <summary>Reads.</summary>
    public ValueTask<Result<int, VolumeError>> Read(OpenHandle handle, long offset, Memory<byte> buffer)
    {
        HandleState? open;
        lock (state.Gate)
        {
            open = state.FindHandle(handle);
        }

        if (open is not { CanRead: true })
        {
            return new(VolumeError.BadHandle);
        }

        return offset < 0
            ? new(VolumeError.InvalidArgument)
            : Watched(open.Target, reader.Read(open.Target, offset, buffer, CancellationToken.None));
    }

    /// <summary>What nobody could be asked for is told to the owner; a read that completes at once costs nothing more.</summary>
    private ValueTask<Result<int, VolumeError>> Watched(OpenObject target, ValueTask<Result<int, VolumeError>> read)
    {
        if (read.IsCompletedSuccessfully)
        {
            Result<int, VolumeError> done = read.Result;
            return new(done.IsOk ? done : Noted(target, done));
        }

        return Wait();

        async ValueTask<Result<int, VolumeError>> Wait() => Noted(target, await read);
    }

    private Result<int, VolumeError> Noted(OpenObject target, Result<int, VolumeError> read)
    {
        if (!read.IsOk && read.Error == VolumeError.Unreachable)
        {
            string path;
            lock (state.Gate)
            {
                path = NameText.Join(state.Queries.PathOf(state.Inodes.ObjectOf(target.Inode) ?? target.Id));
            }

            state.Parts.Unreadable($"{state.Parts.Name}/{path}");
        }

        return read;
    }

    /// <summary>Writes; the caller has made sure that there is room.</summary>
    public Result<int, VolumeError> Write(OpenHandle handle, long offset, ReadOnlyMemory<byte> data)
    {
        HandleState? open;
        lock (state.Gate)
        {
            open = state.FindHandle(handle);
        }

        if (open is not { CanWrite: true })
        {
            return VolumeError.BadHandle;
        }

        if (offset < 0)
        {
            return VolumeError.InvalidArgument;
        }

        return data.IsEmpty ? 0 : writer.Write(open, offset, data.Span);
    }

    /// <summary>Changes the size, through a handle or without one.</summary>
    public Result<Unit, VolumeError> Resize(InodeNumber inode, long sizeBytes, OpenHandle? handle)
    {
        if (sizeBytes < 0)
        {
            return VolumeError.InvalidArgument;
        }

        lock (state.Gate)
        {
            if (handle is { } named)
            {
                return state.FindHandle(named) is { CanWrite: true } open
                    ? Told(open.Target, writer.Resize(open.Target, sizeBytes))
                    : VolumeError.BadHandle;
            }

            if (!state.View(inode).TryGet(out ObjectView? view, out VolumeError error))
            {
                return error;
            }

            if (view.Kind != TreeKind.File)
            {
                return view.Kind == TreeKind.Directory ? VolumeError.IsADirectory : VolumeError.InvalidArgument;
            }

            OpenObject target = state.OpenFor(view);
            Result<Unit, VolumeError> resized = writer.Resize(target, sizeBytes);
            target.WantsPublishing |= target.Writers == 0 && target.Active is not null;
            signal();
            state.CloseIfIdle(target);
            return Told(target, resized);
        }
    }

    /// <summary>Sets the time of an unpublished draft; false when there is none and the tree keeps the time.</summary>
    public Result<bool, VolumeError> SetDraftTime(InodeNumber inode, WallTime modified)
    {
        lock (state.Gate)
        {
            if (state.Inodes.ObjectOf(inode) is not { } id || state.FindOpen(id) is not { Newest: { } draft } target)
            {
                return false;
            }

            // What is being published keeps the time it was frozen with: the tree takes the change, after it.
            if (target.Active is null)
            {
                draft.Modified = modified;
                return false;
            }

            Result<Unit, VolumeError> set = writer.Time(draft, modified);
            return set.TryGet(out _, out VolumeError error) ? true : error;
        }
    }

    /// <summary>How much of a range lies behind the end of a file; 0 for what is to be refused for another reason.</summary>
    public long BytesBeyondEnd(OpenHandle handle, long offset, long length)
    {
        lock (state.Gate)
        {
            return state.FindHandle(handle) is { } open && offset >= 0 && length > 0 && offset <= long.MaxValue - length
                ? Math.Min(length, Math.Max(0, offset + length - open.Target.SizeBytes))
                : 0;
        }
    }

    /// <summary>Allocates, punches or zeroes.</summary>
    public Result<Unit, VolumeError> Allocate(OpenHandle handle, long offset, long length, AllocateMode mode)
    {
        lock (state.Gate)
        {
            if (state.FindHandle(handle) is not { CanWrite: true } open)
            {
                return VolumeError.BadHandle;
            }

            if (offset < 0 || length <= 0)
            {
                return VolumeError.InvalidArgument;
            }

            if (offset > long.MaxValue - length)
            {
                return VolumeError.FileTooLarge;
            }

            OpenObject target = open.Target;
            if (mode is AllocateMode.PunchHole or AllocateMode.ZeroRange)
            {
                Result<Unit, VolumeError> punched = writer.Punch(target, offset, length);
                if (!punched.IsOk)
                {
                    return punched;
                }
            }

            bool extends = mode is AllocateMode.Extend or AllocateMode.ZeroRange && offset + length > target.SizeBytes;
            return Told(target, extends ? writer.Resize(target, offset + length) : Unit.Value);
        }
    }

    /// <summary>The next data or hole.</summary>
    public async ValueTask<Result<long, VolumeError>> Seek(OpenHandle handle, long offset, SeekTarget wanted)
    {
        HandleState? open;
        lock (state.Gate)
        {
            open = state.FindHandle(handle);
        }

        if (open is null)
        {
            return VolumeError.BadHandle;
        }

        Result<Manifest, VolumeError> loaded = await reader.LoadBase(open.Target, CancellationToken.None);
        if (!loaded.IsOk)
        {
            return loaded.Error;
        }

        lock (state.Gate)
        {
            if (offset < 0 || offset >= open.Target.SizeBytes)
            {
                return VolumeError.NoData;
            }

            long found = ContentReader.Seek(open.Target, offset, wanted);
            return wanted == SeekTarget.Data && found >= open.Target.SizeBytes ? VolumeError.NoData : found;
        }
    }

    /// <summary>A close of one descriptor: what was written may be published.</summary>
    public Result<Unit, VolumeError> Flush(OpenHandle handle, ulong lockOwner)
    {
        OpenObject target;
        lock (state.Gate)
        {
            if (state.FindHandle(handle) is not { } open)
            {
                return VolumeError.BadHandle;
            }

            target = open.Target;
            if (open.CanWrite && target.Active is not null)
            {
                target.WantsPublishing = true;
                signal();
            }
        }

        state.Locks.ReleaseOwner(target.Inode, lockOwner);
        return Unit.Value;
    }

    /// <summary>The last close of a handle.</summary>
    public Result<Unit, VolumeError> Release(OpenHandle handle)
    {
        lock (state.Gate)
        {
            if (state.RemoveHandle(handle) is not { } closed)
            {
                return VolumeError.BadHandle;
            }

            OpenObject target = closed.Target;
            if (target is { Writers: 0, Active: not null })
            {
                target.WantsPublishing = true;
            }

            DropIfGone(target);
            if (target.WantsPublishing)
            {
                signal();
            }

            if (closed.CanWrite)
            {
                state.TellIfUnpinned(target);
            }

            state.CloseIfIdle(target);
            return Unit.Value;
        }
    }

    /// <summary>Throws the draft of a file away that has no handle and that nobody wants. Called under the gate.</summary>
    /// <remarks>Not where this node may only read: the file may have no entry because its making was refused.</remarks>
    public void DropIfGone(OpenObject target)
    {
        if (target.Handles > 0 || state.MayBeRefused(target.Id) || target.Active is not { Pending: 0 } draft
            || !state.IsUnwanted(target.Id, draft))
        {
            return;
        }

        target.Active = null;
        target.WantsPublishing = false;
        writer.Drop(draft);
        state.CloseIfIdle(target);

        // Before a crash it may have been published in part: what nobody will name now is to be reported.
        signal();
    }

    /// <summary>
    /// Publishes a file again whose new name says that its bytes are to lie in its manifest, if they do not. Called under the gate.
    /// </summary>
    /// <remarks>Nothing is written, so nothing that is written meanwhile is lost. Where it cannot be, the file is as it was.</remarks>
    public void BringNear(ObjectView view)
    {
        if (view.Kind != TreeKind.File || !NearContent.IsElsewhere(state, view))
        {
            return;
        }

        WallTime modified = state.Describe(view).Modified;
        OpenObject target = state.OpenFor(view);
        if (writer.Touch(target).IsOk)
        {
            _ = writer.Time(target.Active!, modified);
            target.WantsPublishing = true;
            signal();
        }

        state.CloseIfIdle(target);
    }

    private Result<OpenedFile, VolumeError> Open(ObjectView view, OpenIntent intent)
    {
        if (view.Kind != TreeKind.File)
        {
            return view.Kind == TreeKind.Directory ? VolumeError.IsADirectory : VolumeError.InvalidArgument;
        }

        if ((intent & (OpenIntent.Write | OpenIntent.Truncate)) != 0 && state.RefusalOf(view.Id) is { } refusal)
        {
            return refusal;
        }

        bool isSteady = (intent & OpenIntent.Steady) != 0 && state.FindOpen(view.Id) is not { IsPinned: true };
        OpenObject target = isSteady
            ? state.OpenPast(state.Inodes.NumberOf(view.Id), view.Head)
            : state.OpenFor(view);
        if (target.Base is null && target.BaseRoot.Length <= InlineRootBytesMax)
        {
            LoadInline(target);
        }

        if (!state.AddHandle(target, intent).TryGet(out OpenHandle handle, out VolumeError error))
        {
            state.CloseIfIdle(target);
            return error;
        }

        if ((intent & OpenIntent.Truncate) != 0 && target.SizeBytes > 0)
        {
            Result<Unit, VolumeError> cut = Told(target, writer.Resize(target, 0));
            if (!cut.IsOk)
            {
                state.RemoveHandle(handle);
                state.CloseIfIdle(target);
                return cut.Error;
            }
        }

        if ((intent & OpenIntent.Write) != 0 && target.Writers == 1)
        {
            presence.NoteOpened(target.Id);
        }

        VersionId basis = target.BaseHeads.Length > 0 ? target.BaseHeads[0] : default;
        return new OpenedFile(handle, state.Describe(state.Queries.Get(view.Id)!), basis);
    }

    private const int InlineRootBytesMax = 64 << 10;

    /// <summary>Most manifests lie in the version: no reader should have to wait for them.</summary>
    private static void LoadInline(OpenObject target)
    {
        if (target.BaseRoot.IsEmpty)
        {
            target.Base = Manifest.Empty;
        }
        else if (ManifestRootCodec.Decode(target.BaseRoot.Span).TryGet(out ManifestRoot? root, out _)
            && root is ManifestRoot.Inline inline)
        {
            target.Base = inline.Manifest;
        }
    }

    private Result<Unit, VolumeError> Told(OpenObject target, Result<Unit, VolumeError> done)
    {
        if (done.IsOk)
        {
            state.TellObject(target.Inode, contentChanged: true);
        }

        return done;
    }

}
