using Cairn.Core.Primitives;
using Cairn.Core.Tree.Records;
using Cairn.Node.Engine.Requests;
using Cairn.Node.Volumes;

namespace Cairn.Node.Engine;

/// <summary>Brings what others wrote to open files and to whoever watches the volume.</summary>
internal sealed class RemoteChanges(VolumeState state, PatientOpening opening)
{
    /// <summary>Other members' transactions changed these keys of the tree. Under the gate.</summary>
    public void OnChange(IReadOnlyList<byte[]> keys)
    {
        AdmitThoseOf(keys);
        bool isAnyRemoved = false;
        foreach (byte[] key in keys)
        {
            if (TreeKeys.TryParseEntry(key, out ObjectId parent, out ReadOnlySpan<byte> name))
            {
                state.TellEntry(state.Inodes.NumberOf(parent), name.ToArray());
            }
            else if (TreeKeys.TryParseObject(key, out ObjectId id))
            {
                if (key[0] == TreeKeys.Object && state.Queries.Get(id) is { } view)
                {
                    isAnyRemoved |= view.IsDetached;
                    opening.Note(view);
                }

                state.TellVersion(id);
            }
        }

        if (isAnyRemoved)
        {
            state.DraftsOfRemoved.Look();
        }
    }

    private void AdmitThoseOf(IReadOnlyList<byte[]> keys)
    {
        List<ObjectId> objects = [];
        foreach (byte[] key in keys)
        {
            if (TreeKeys.TryParseObject(key, out ObjectId id) && key[0] == TreeKeys.Object)
            {
                objects.Add(id);
            }
        }

        state.Inodes.Admit(objects);
    }

    /// <summary>All was folded again, of which what is there now is told key by key. Under the gate.</summary>
    public void OnRefold()
    {
        foreach (IVolumeWatcher watcher in state.Watchers)
        {
            watcher.NamesChanged();
        }
    }
}
