using System.Runtime.InteropServices;
using Cairn.Fuse.Abi;
using Cairn.Node.Ports;
using Cairn.Node.Volumes;

namespace Cairn.Fuse.Session;

/// <summary>
/// OPENDIR, READDIR, READDIRPLUS and FSYNCDIR. Directories have no handles: listing continues by cookie; an opening only
/// tells the kernel whether the listing it keeps is good.
/// </summary>
internal sealed class DirectoryRequests
{
    private const ulong DotOffset = 1;
    private const ulong DotDotOffset = 2;
    private const ulong UnknownInode = 0xFFFF_FFFF;

    private readonly IVolume _volume;
    private readonly ReplyPath _reply;
    private readonly FuseReplies _replies;
    private readonly ListingCache _listings;
    private readonly Func<IFuseExchange, IReadOnlyList<DirectoryEntry>, int> _plain;
    private readonly Func<IFuseExchange, IReadOnlyList<DirectoryEntry>, int> _plus;

    public DirectoryRequests(IVolume volume, ReplyPath reply, FuseReplies replies, ListingCache listings)
    {
        _volume = volume;
        _reply = reply;
        _replies = replies;
        _listings = listings;
        _plain = (exchange, entries) => Encode(exchange, entries, withAttributes: false);
        _plus = (exchange, entries) => Encode(exchange, entries, withAttributes: true);
    }

    public bool Open(FuseRequest request)
    {
        uint keep = _listings.IsGoodAndNowKept(request.Node) ? FuseOpenFlags.KeepCache : 0;
        var opened = new FuseOpenOut { OpenFlags = FuseOpenFlags.CacheDirectory | keep };
        ReplyPath.Send(request.Exchange, FuseReplies.Write(request.Exchange, opened), 0);
        return true;
    }

    public bool Read(FuseRequest request, bool withAttributes)
    {
        if (!request.TryRead(out FuseReadIn asked))
        {
            return false;
        }

        // The shortest entry has one byte of name, padded to eight.
        int entryBytes = FuseDirent.Size + 8 + (withAttributes ? FuseEntryOut.Size : 0);
        int countMax = (int)(asked.Length / (uint)entryBytes) + 1;
        ulong cookie = asked.Offset <= DotDotOffset ? 0 : asked.Offset - DotDotOffset;
        _reply.Complete(
            request.Exchange,
            _volume.ReadDirectory(request.Node, cookie, countMax),
            withAttributes ? _plus : _plain);
        return true;
    }

    public bool Sync(FuseRequest request)
    {
        _reply.Complete(request.Exchange, _volume.SyncDirectory(request.Node), ReplyPath.Empty);
        return true;
    }

    private int Encode(IFuseExchange exchange, IReadOnlyList<DirectoryEntry> entries, bool withAttributes)
    {
        var request = new FuseRequest(exchange);
        request.TryRead(out FuseReadIn asked);
        Span<byte> room = FuseReplies.Body(exchange);
        room = room[..(int)Math.Min(asked.Length, (uint)room.Length)];
        var writer = new EntryWriter(room, _replies, withAttributes);
        ObjectAttributes self = new() { Inode = request.Node, Kind = ObjectKind.Directory };
        bool isRoot = request.Node == InodeNumber.Root;
        ObjectAttributes parent = self with { Inode = isRoot ? request.Node : new(UnknownInode) };
        bool fits = (asked.Offset >= DotOffset || writer.TryAdd("."u8, self, DotOffset, isDot: true))
            && (asked.Offset >= DotDotOffset || writer.TryAdd(".."u8, parent, DotDotOffset, isDot: true));
        for (int i = 0; fits && i < entries.Count; i++)
        {
            DirectoryEntry entry = entries[i];
            fits = writer.TryAdd(entry.Name.Span, entry.Attributes, entry.Cookie + DotDotOffset, isDot: false);
        }

        return FuseOutHeader.Size + writer.Count;
    }

    private ref struct EntryWriter(Span<byte> room, FuseReplies replies, bool withAttributes)
    {
        private readonly Span<byte> _room = room;

        public int Count { get; private set; }

        public bool TryAdd(ReadOnlySpan<byte> name, in ObjectAttributes attributes, ulong offset, bool isDot)
        {
            int head = withAttributes ? FuseEntryOut.Size : 0;
            int length = head + ((FuseDirent.Size + name.Length + 7) & ~7);
            if (length > _room.Length - Count)
            {
                return false;
            }

            Span<byte> to = _room.Slice(Count, length);
            if (withAttributes)
            {
                // The kernel must make no inode for the dots: a nodeid of zero says so.
                FuseEntryOut entry = isDot ? default : replies.Entry(attributes);
                MemoryMarshal.Write(to, in entry);
            }

            var dirent = new FuseDirent
            {
                Inode = attributes.Inode.Value,
                Offset = offset,
                NameLength = (uint)name.Length,
                Type = FuseReplies.KindBits(attributes.Kind),
            };
            MemoryMarshal.Write(to[head..], in dirent);
            to = to[(head + FuseDirent.Size)..];
            name.CopyTo(to);
            to[name.Length..].Clear();
            Count += length;
            return true;
        }
    }
}
