using Cairn.Core.Primitives;
using Cairn.Core.Text;
using Cairn.Node.Engine;
using Cairn.Node.Engine.Past;
using Cairn.Node.Volumes;

namespace Cairn.Node.Snapshots;

/// <summary>A volume with its past states under <c>.snapshots</c> in its root, to be read only.</summary>
/// <remarks>
/// The folder is not listed; looking it up finds it, unless the volume has something of that name. In it, snapshots are
/// listed by name; <c>@2026-11-20T10:00</c> is found, too, as the state at that moment. A number of the past is told
/// from one of the present by asking the present first: so what is read now costs nothing more. Thread: any, as the
/// volume.
/// </remarks>
public sealed partial class SnapshotsVolume : IVolume
{
    /// <summary>The name of the folder.</summary>
    public const string FolderName = ".snapshots";

    private const uint FolderMode = 0x16D;   // 0555

    private static readonly byte[] FolderNameBytes = [.. ".snapshots"u8];

    private readonly IVolume _present;
    private readonly PastOperations _past;
    private readonly VolumeEngine _engine;

    /// <summary>Lays the past of an engine into what doors see of its present.</summary>
    public SnapshotsVolume(IVolume present, VolumeEngine engine)
    {
        (_present, _engine, _past) = (present, engine, engine.Past);
    }

    /// <summary>The engine whose past it shows.</summary>
    public VolumeEngine Engine => _engine;

    /// <inheritdoc/>
    public VolumeId Id => _present.Id;

    /// <inheritdoc/>
    public string Name => _present.Name;

    /// <inheritdoc/>
    public IVolumeHistory? History => _present.History;

    /// <inheritdoc/>
    public IVolumeRules? Rules => _present.Rules;

    /// <inheritdoc/>
    public IVolumeBrake? Brake => _present.Brake;

    /// <inheritdoc/>
    public IVolumePresence? Presence => _present.Presence;

    /// <inheritdoc/>
    public IVolumeFeed? Feed => _present.Feed;

    /// <inheritdoc/>
    public IVolumeSnapshots? Snapshots => _engine.Snapshots;

    /// <inheritdoc/>
    public async ValueTask<Result<ObjectAttributes, VolumeError>> Lookup(InodeNumber parent, ReadOnlyMemory<byte> name)
    {
        if (parent == Folder)
        {
            return await _past.Enter(NameText.Of(name.Span));
        }

        Result<ObjectAttributes, VolumeError> found = await _present.Lookup(parent, name);
        return found.IsOk || found.Error != VolumeError.NotFound ? found
            : IsFolder(parent, name) ? FolderAttributes
            : _past.Knows(parent) ? _past.Lookup(parent, name)
            : found;
    }

    /// <inheritdoc/>
    public async ValueTask<Result<ObjectAttributes, VolumeError>> GetAttributes(InodeNumber inode)
    {
        if (inode == Folder)
        {
            return FolderAttributes;
        }

        Result<ObjectAttributes, VolumeError> found = await _present.GetAttributes(inode);
        return IsNotPresent(found) ? _past.Get(inode) : found;
    }

    /// <inheritdoc/>
    public async ValueTask<Result<IReadOnlyList<DirectoryEntry>, VolumeError>> ReadDirectory(
        InodeNumber directory, ulong cookie, int countMax)
    {
        if (directory == Folder)
        {
            return ListSnapshots(cookie, countMax);
        }

        Result<IReadOnlyList<DirectoryEntry>, VolumeError> found =
            await _present.ReadDirectory(directory, cookie, countMax);
        return IsNotPresent(found) ? _past.List(directory, cookie, countMax) : found;
    }

    /// <inheritdoc/>
    public async ValueTask<Result<OpenedFile, VolumeError>> Open(InodeNumber inode, OpenIntent intent, Caller caller)
    {
        if (inode == Folder)
        {
            return VolumeError.IsADirectory;
        }

        Result<OpenedFile, VolumeError> found = await _present.Open(inode, intent, caller);
        return IsNotPresent(found) ? _past.Open(inode, intent) : found;
    }

    /// <inheritdoc/>
    public async ValueTask<Result<ReadOnlyMemory<byte>, VolumeError>> ReadSymbolicLink(InodeNumber inode)
    {
        Result<ReadOnlyMemory<byte>, VolumeError> found = await _present.ReadSymbolicLink(inode);
        return IsNotPresent(found) ? _past.ReadSymbolicLink(inode) : found;
    }

    /// <inheritdoc/>
    public async ValueTask<Result<ReadOnlyMemory<byte>, VolumeError>> GetExtendedAttribute(
        InodeNumber inode, ReadOnlyMemory<byte> name)
    {
        Result<ReadOnlyMemory<byte>, VolumeError> found = await _present.GetExtendedAttribute(inode, name);
        return !IsNotPresent(found) ? found
            : inode == Folder ? VolumeError.NoAttribute
            : _past.GetExtended(inode, name);
    }

    /// <inheritdoc/>
    public async ValueTask<Result<IReadOnlyList<ReadOnlyMemory<byte>>, VolumeError>> ListExtendedAttributes(
        InodeNumber inode)
    {
        Result<IReadOnlyList<ReadOnlyMemory<byte>>, VolumeError> found = await _present.ListExtendedAttributes(inode);
        return !IsNotPresent(found) ? found
            : inode == Folder ? Result<IReadOnlyList<ReadOnlyMemory<byte>>, VolumeError>.Ok([])
            : _past.ListExtended(inode);
    }

    private static InodeNumber Folder => PastOperations.Folder;

    private static ObjectAttributes FolderAttributes => new()
    {
        Inode = Folder,
        Kind = ObjectKind.Directory,
        Mode = FolderMode,
        LinkCount = 2,
    };

    private static bool IsFolder(InodeNumber parent, ReadOnlyMemory<byte> name) =>
        parent == InodeNumber.Root && name.Span.SequenceEqual(FolderNameBytes);

    private static bool IsNotPresent<T>(Result<T, VolumeError> found) =>
        !found.IsOk && found.Error == VolumeError.NotFound;

    /// <summary>Whether a change below or of a number is one of the past: nothing there changes.</summary>
    private bool IsPast(InodeNumber inode) => inode == Folder || (inode != InodeNumber.Root && _past.Knows(inode));

    private Result<IReadOnlyList<DirectoryEntry>, VolumeError> ListSnapshots(ulong cookie, int countMax)
    {
        var entries = new List<DirectoryEntry>();
        ulong next = 0;
        foreach ((string name, ObjectAttributes attributes) in _past.Snapshots())
        {
            if (++next > cookie && entries.Count < countMax)
            {
                entries.Add(new DirectoryEntry(NameText.ToBytes(name), attributes, next));
            }
        }

        return entries;
    }
}
