using System.Runtime.CompilerServices;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Text;
using Cairn.Core.Tree;

namespace Cairn.Node.Engine.Walks;

/// <summary>Goes through the present versions of all files below a folder.</summary>
/// <remarks>Of a million files that takes seconds, so it rests between steps: doors and peers come first.</remarks>
internal sealed class FileWalk(VolumeState state)
{
    private const int FilesPerStep = 256;
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(2);

    private readonly Stack<(ObjectId Id, ObjectId Folder, ReadOnlyMemory<byte> Name)> _waiting = [];

    /// <summary>A file's path as it is shown, a conflict's with the words that say so. Under the gate.</summary>
    public string PathOf(WalkedFile file) => NameText.Join(
        file.Name.IsEmpty ? state.Queries.PathOf(file.Id) : [.. state.Queries.PathOf(file.Folder), file.Name]);

    /// <summary>The files; one with several names comes once for each.</summary>
    public async IAsyncEnumerable<WalkedFile> Run(
        ObjectId top, [EnumeratorCancellation] CancellationToken cancellation)
    {
        _waiting.Push((top, default, default));
        for (int looked = 1; _waiting.TryPop(out var next); looked++)
        {
            if (looked % FilesPerStep == 0)
            {
                await Task.Delay(Rest, state.Parts.Time, cancellation);
            }

            HeadView? head;
            lock (state.Gate)
            {
                head = Open(next.Id);
            }

            if (head is not null)
            {
                yield return new WalkedFile(next.Id, head, next.Folder, next.Name);
            }
        }
    }

    /// <summary>What a file has; of a folder its entries are looked at later.</summary>
    private HeadView? Open(ObjectId id)
    {
        if (state.Queries.Get(id) is not { } view)
        {
            return null;
        }

        if (view.Kind != TreeKind.Directory)
        {
            return view.Head;
        }

        foreach (EntryView entry in state.Queries.ListAll(id))
        {
            _waiting.Push((entry.Object, id, entry.Name));
        }

        return null;
    }
}
