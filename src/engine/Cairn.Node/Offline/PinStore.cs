using System.Collections.Immutable;
using Cairn.Core.Primitives;
using Cairn.Core.Rules;
using Cairn.Storage;
using Cairn.Storage.Home;
using Cairn.Storage.Ports;

namespace Cairn.Node.Offline;

/// <summary>A node's pins on its disk.</summary>
internal sealed class PinStore
{
    private const string FileName = "pins";
    private const int BytesMax = 8 << 20;

    private readonly IDisk _disk;

    /// <summary>Reads the file.</summary>
    public PinStore(IDisk disk)
    {
        _disk = disk;
        if (SmallFile.Read(disk, FileName, BytesMax).TryGet(out byte[]? bytes, out StoreError error))
        {
            Pins = bytes is null ? [] : PinList.Decode(bytes) ?? [];
            IsUnreadable = bytes is not null && PinList.Decode(bytes) is null;
        }
        else
        {
            IsUnreadable = error.Kind == StoreErrorKind.Corrupt;
        }
    }

    /// <summary>The pins, in the order they were made.</summary>
    public ImmutableArray<Pin> Pins { get; private set; } = [];

    /// <summary>Whether there is a file, and it says nothing: what was pinned has to be pinned again.</summary>
    public bool IsUnreadable { get; }

    /// <summary>Replaces the pins durably.</summary>
    public Result<Unit, StoreError> Replace(ImmutableArray<Pin> pins)
    {
        Result<Unit, StoreError> written = SmallFile.Write(_disk, FileName, PinList.Encode(pins));
        if (written.IsOk)
        {
            Pins = pins;
        }

        return written;
    }
}
