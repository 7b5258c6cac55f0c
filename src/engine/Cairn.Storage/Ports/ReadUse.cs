namespace Cairn.Storage.Ports;

/// <summary>What a read has to do with the host's cache.</summary>
internal enum ReadUse
{
    /// <summary>It may well be read again: by way of the cache (<see cref="IDiskFile.Read"/>).</summary>
    Again,

    /// <summary>It is probably read once: from the cache if it is there, else past it (<see cref="IDiskFile.ReadOnce"/>).</summary>
    Once,

    /// <summary>It is to be sent or checked: past the cache (<see cref="IDiskFile.ReadBulk"/>).</summary>
    Bulk,
}
