using Cairn.Core.Primitives;
using Cairn.Fuse.Abi;
using Cairn.Node.Ports;
using Cairn.Node.Volumes;

namespace Cairn.Fuse.Session;

/// <summary>One mount of one volume: the kernel's requests in, the volume's answers out.</summary>
/// <remarks>
/// Invariants: it owns no thread; every exchange is ended exactly once; a request that the volume answers at once
/// allocates nothing here; a nodeid is the volume's inode number and is never counted, so FORGET has nothing to do;
/// every handle given to the kernel is released exactly once, at the latest when the mount is gone. See
/// docs/formats/nodeid.md.
/// </remarks>
public sealed class FuseSession : IFuseHandler
{
    private readonly IVolume _volume;
    private readonly Action<Exception> _report;
    private readonly TimeProvider _time;
    private readonly FuseNegotiation _negotiation;
    private readonly EntryRequests _entries;
    private readonly AttributeRequests _attributes;
    private readonly XAttrRequests _xattrs;
    private readonly DirectoryRequests _directories;
    private readonly OpenFiles _files;
    private readonly Privileges _privileges;
    private readonly OpenRequests _opens;
    private readonly DataRequests _data;
    private readonly LockRequests _locks;
    private readonly PendingChanges _pending = new();
    private readonly ListingCache _listings = new();
    private readonly UntoldLengths _untold = new();
    private readonly ReplyPath _reply;
    private readonly long[] _counts = new long[64];
    private Invalidation? _invalidation;
    private IDisposable? _watch;

    /// <summary>A session that waits for its channel.</summary>
    /// <param name="volume">What is mounted.</param>
    /// <param name="options">How.</param>
    /// <param name="time">For times that a caller asks to be set to now.</param>
    /// <param name="report">Told of bugs: an exception fails one request with EIO and goes there.</param>
    public FuseSession(IVolume volume, FuseOptions options, TimeProvider time, Action<Exception> report)
    {
        _volume = volume;
        _report = report;
        _time = time;
        _negotiation = new FuseNegotiation(options);
        _reply = new ReplyPath(report, _pending);
        ReplyPath reply = _reply;
        var replies = new FuseReplies(options, _untold);
        _files = new OpenFiles(volume);
        _privileges = new Privileges(volume);
        _entries = new EntryRequests(volume, reply, replies);
        _attributes = new AttributeRequests(volume, reply, replies, time);
        _xattrs = new XAttrRequests(volume, reply);
        _directories = new DirectoryRequests(volume, reply, replies, _listings);
        _opens = new OpenRequests(volume, reply, replies, _files, _privileges, _untold, options);
        _data = new DataRequests(volume, reply, _privileges);
        _locks = new LockRequests(volume, reply);
    }

    /// <summary>Files this mount has open.</summary>
    public int OpenFileCount => _files.Count;

    /// <summary>How many requests of a kind came; the kinds are the kernel's opcodes.</summary>
    public long RequestCount(int opcode) => Interlocked.Read(ref _counts[opcode]);

    /// <inheritdoc/>
    public void Attach(IFuseChannel channel)
    {
        Invariant.That(_invalidation is null, "a session belongs to one channel");
        _invalidation = new Invalidation(this, _pending, _listings, _untold, channel, _time);
        _privileges.Invalidation = _invalidation;
        _reply.Invalidation = _invalidation;
        _opens.Invalidation = _invalidation;
        _watch = _volume.Watch(_invalidation);
    }

    /// <inheritdoc/>
    public void NoticeBegins(ReadOnlySpan<byte> message) => _invalidation?.NoticeBegins(message);

    /// <inheritdoc/>
    public void NoticeTaken(ReadOnlySpan<byte> message) => _invalidation?.NoticeTaken(message);

    /// <inheritdoc/>
    public async Task Detach()
    {
        _watch?.Dispose();
        _invalidation?.Stop();
        await _files.ReleaseAll().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public void Handle(IFuseExchange exchange)
    {
        var request = new FuseRequest(exchange);
        FuseInHeader header = request.Header;
        Interlocked.Increment(ref _counts[(uint)header.Opcode % (uint)_counts.Length]);
        OwnChange own = OwnChange.Current;

        // A close changes nothing itself. What it lets show is what others wrote meanwhile.
        if (header.Opcode is not FuseOpcode.Release)
        {
            own.Begin(this, request.Node);
        }

        bool isEnded;
        if (PendingChanges.NodeOf(exchange) is { } changed)
        {
            _pending.Begin(changed);
            if (PendingChanges.ChangesLength(request))
            {
                _untold.IsWrittenHere(changed);
            }
        }

        try
        {
            isEnded = Dispatch(header.Opcode, request);
        }
#pragma warning disable CA1031 // The outermost frame of a request: a bug fails this request, not the drive.
        catch (Exception bug)
#pragma warning restore CA1031
        {
            // What follows a volume's call is guarded by ReplyPath: the exchange is still ours.
            _report(bug);
            _reply.EndChange(exchange);
            isEnded = Answer(request, Errno.InputOutput);
        }
        finally
        {
            own.End();
        }

        if (!isEnded)
        {
            _reply.EndChange(exchange);
            ReplyPath.Error(exchange, Errno.InvalidArgument);
        }
    }

    /// <returns>False when the request makes no sense; it is then still to be answered.</returns>
    private bool Dispatch(FuseOpcode opcode, FuseRequest request) => opcode switch
    {
        FuseOpcode.Lookup => _entries.Lookup(request),
        FuseOpcode.GetAttr => _attributes.Get(request),
        FuseOpcode.Read => _data.Read(request),
        FuseOpcode.Write => _data.Write(request),
        FuseOpcode.Open => _opens.Open(request),
        FuseOpcode.Create => _opens.Create(request),
        FuseOpcode.Flush => _opens.Flush(request),
        FuseOpcode.Release => _opens.Release(request),
        FuseOpcode.SetAttr => _attributes.Set(request),
        FuseOpcode.OpenDir => _directories.Open(request),
        FuseOpcode.ReadDir => _directories.Read(request, withAttributes: false),
        FuseOpcode.ReadDirPlus => _directories.Read(request, withAttributes: true),
        FuseOpcode.FSync => _data.Sync(request),
        FuseOpcode.FSyncDir => _directories.Sync(request),
        FuseOpcode.ReadLink => _entries.ReadLink(request),
        FuseOpcode.SymLink => _entries.MakeSymbolicLink(request),
        FuseOpcode.MkNod => _entries.MakeNode(request),
        FuseOpcode.MkDir => _entries.MakeDirectory(request),
        FuseOpcode.Unlink => _entries.Remove(request, isDirectory: false),
        FuseOpcode.RmDir => _entries.Remove(request, isDirectory: true),
        FuseOpcode.Rename => _entries.Rename(request),
        FuseOpcode.Rename2 => _entries.RenameWithFlags(request),
        FuseOpcode.Link => _entries.Link(request),
        FuseOpcode.StatFs => _attributes.StatFs(request),
        FuseOpcode.GetXAttr => _xattrs.Get(request),
        FuseOpcode.ListXAttr => _xattrs.List(request),
        FuseOpcode.SetXAttr => _xattrs.Set(request),
        FuseOpcode.RemoveXAttr => _xattrs.Remove(request),
        FuseOpcode.FAllocate => _data.Allocate(request),
        FuseOpcode.LSeek => _data.Seek(request),
        FuseOpcode.CopyFileRange => _data.CopyRange(request, isWide: false),
        FuseOpcode.CopyFileRange64 => _data.CopyRange(request, isWide: true),
        FuseOpcode.GetLk => _locks.Test(request),
        FuseOpcode.SetLk => _locks.Set(request, wait: false),
        FuseOpcode.SetLkW => _locks.Set(request, wait: true),
        FuseOpcode.Interrupt => _locks.Interrupt(request),
        FuseOpcode.Init => Init(request),
        FuseOpcode.Forget or FuseOpcode.BatchForget or FuseOpcode.NotifyReply => Drop(request),
        FuseOpcode.Destroy or FuseOpcode.ReleaseDir => Answer(request, 0),
        FuseOpcode.IoCtl => Answer(request, Errno.NoTerminal),

        // "Not implemented" makes the kernel do without from now on: it checks permissions itself (ACCESS), and has its
        // own way without the others.
        FuseOpcode.Access or FuseOpcode.Poll or FuseOpcode.BMap or FuseOpcode.TmpFile
            or FuseOpcode.StatX or FuseOpcode.SyncFs or FuseOpcode.SetupMapping or FuseOpcode.RemoveMapping
            or _ => Answer(request, Errno.NotImplemented),
    };

    private bool Init(FuseRequest request)
    {
        bool isUnderstood = _negotiation.TryAnswer(request, out int count, out bool canExpire);
        if (isUnderstood)
        {
            _invalidation?.CanExpire = canExpire;
            ReplyPath.Send(request.Exchange, count, 0);
        }
        else
        {
            ReplyPath.Error(request.Exchange, Errno.Protocol);
        }

        return true;
    }

    private static bool Drop(FuseRequest request)
    {
        request.Exchange.Drop();
        return true;
    }

    private static bool Answer(FuseRequest request, int errno)
    {
        ReplyPath.Error(request.Exchange, errno);
        return true;
    }
}
