using Cairn.Core.Presence;
using Cairn.Core.Primitives;
using Cairn.Core.Text;
using Cairn.Node.Volumes;

namespace Cairn.Node.Engine.Requests;

/// <summary>Who has which files open for writing: what this node tells the others, and what it makes of their words.</summary>
internal sealed class PresenceOperations(VolumeState state) : IVolumePresence
{
    private readonly OpenFilesHeard _heard = new();
    private readonly Dictionary<NodeId, string> _names = [];

    /// <summary>The attribute by which a program on the drive sees who else has a file open: a name a line.</summary>
    /// <remarks>It is made when it is asked for. No listing has it, so no copy of a file carries it away.</remarks>
    public static ReadOnlySpan<byte> Attribute => "user.cairn.open"u8;

    /// <summary>The files that are open for writing here.</summary>
    public IReadOnlyList<ObjectId> OpenHere()
    {
        lock (state.Gate)
        {
            return [.. state.OpenObjects.Where(file => file.Writers > 0).Select(file => file.Id)];
        }
    }

    /// <summary>A member says what it has open.</summary>
    public void Hear(NodeId member, string name, IReadOnlyList<ObjectId> files)
    {
        lock (state.Gate)
        {
            _names[member] = name;
            foreach (ObjectId file in _heard.Hear(member, files, state.NowMs))
            {
                if (state.FindOpen(file) is { Writers: > 0 })
                {
                    Tell(file, name);
                }
            }
        }
    }

    /// <summary>A file was opened for writing here: the owner is told who has it open, too. Called under the gate.</summary>
    public void NoteOpened(ObjectId file)
    {
        foreach (FileOpener opener in _heard.Of(file, state.NowMs))
        {
            Tell(file, _names[opener.Member]);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> Elsewhere(InodeNumber file)
    {
        lock (state.Gate)
        {
            return state.Inodes.ObjectOf(file) is { } id
                ? [.. _heard.Of(id, state.NowMs).Select(opener => _names[opener.Member])]
                : [];
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<OpenFile> All()
    {
        List<OpenFile> all = [];
        lock (state.Gate)
        {
            long now = state.NowMs;
            NodeId self = state.Parts.Log.OwnLogId.Author;
            foreach (OpenObject file in state.OpenObjects.Where(file => file.Writers > 0))
            {
                all.Add(new OpenFile(
                    PathOf(file.Id), self, state.Parts.AuthorName, IsHere: true, Since(now, file.WritersSinceMs)));
            }

            foreach (ObjectId file in _heard.Files(now).Where(file => state.Queries.Get(file) is not null))
            {
                foreach (FileOpener opener in _heard.Of(file, now))
                {
                    all.Add(new OpenFile(
                        PathOf(file), opener.Member, _names[opener.Member], IsHere: false, Since(now, opener.SinceMs)));
                }
            }
        }

        return [.. all.OrderBy(file => file.Path, StringComparer.Ordinal).ThenBy(file => file.Node)];
    }

    private static TimeSpan Since(long nowMs, long thenMs) => TimeSpan.FromMilliseconds(nowMs - thenMs);

    private void Tell(ObjectId file, string name) =>
        state.Parts.OpenTwice($"{state.Parts.Name}/{PathOf(file)} is open for writing here and on {name}.");

    private string PathOf(ObjectId file) => NameText.Join(state.Queries.PathOf(file));
}
