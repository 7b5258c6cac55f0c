using Cairn.Core.Primitives;
using Cairn.Node.Peers;

namespace Cairn.Node.Pool;

/// <summary>Removed volumes that are closed until all members have heard of the removal, which may take weeks.</summary>
/// <remarks>
/// An open volume costs memory, and time with each thing that comes. Until all have heard nobody condemns what is in it: so
/// it may be closed when nothing is condemned in it here, nothing of it is on this node alone, and every connected member has
/// the same of it. Peers are answered with the word that was the last, and whoever says something else, sends blocks or asks for a
/// checkpoint has it opened again. docs/decisions/garbage.md. Thread: the engine's loop.
/// </remarks>
internal sealed class RestingVolumes
{
    /// <summary>So many looks in a row must find nothing going on: one takes place every few seconds.</summary>
    private const int QuietLooks = 6;

    private readonly SortedDictionary<VolumeId, long> _indexBytes = [];
    private readonly HashSet<VolumeId> _roused = [];
    private readonly Dictionary<VolumeId, int> _quiet = [];
    private readonly LogSync _sync;

    /// <summary>Begins with none.</summary>
    public RestingVolumes(LogSync sync)
    {
        _sync = sync;
        sync.Roused += Rouse;
    }

    /// <summary>What the diary says.</summary>
    public static string Sentence(string name) =>
        $"the removed volume {name} is closed until every member has heard that it was removed";

    /// <summary>What their indexes take on the disk.</summary>
    public long IndexBytes => _indexBytes.Values.Sum();

    /// <summary>Whether one is closed here for now.</summary>
    public bool Has(VolumeId volume) => _indexBytes.ContainsKey(volume);

    /// <summary>It is opened with the next look, if it is closed.</summary>
    public void Rouse(VolumeId volume)
    {
        if (Has(volume))
        {
            _roused.Add(volume);
        }
    }

    /// <summary>Whether an open one can be closed for now. Asked every few seconds.</summary>
    public bool MayRest(IHostedVolume hosted, bool haveAllHeard)
    {
        VolumeId volume = hosted.Log.Volume;
        bool isQuiet = !haveAllHeard && hosted.IsAtRest && _sync.IsAtRest(volume);
        _quiet[volume] = isQuiet ? _quiet.GetValueOrDefault(volume) + 1 : 0;
        return _quiet[volume] >= QuietLooks;
    }

    /// <summary>One is about to be closed.</summary>
    public void Add(IHostedVolume hosted)
    {
        VolumeId volume = hosted.Log.Volume;
        _quiet.Remove(volume);
        _indexBytes[volume] = hosted.IndexBytes;
        _sync.Rest(volume);
    }

    /// <summary>Those that were roused rest no more, nor do those that may not.</summary>
    public void Wake(Func<VolumeId, bool> mayRest)
    {
        foreach (VolumeId volume in _indexBytes.Keys.Where(id => _roused.Contains(id) || !mayRest(id)).ToArray())
        {
            _indexBytes.Remove(volume);
        }

        _roused.Clear();
    }
}
