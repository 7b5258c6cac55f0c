using System.Buffers;
using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Encryption;

/// <summary>The keys of one volume that this member holds. Immutable: adding a key makes a new keyring.</summary>
/// <remarks>
/// Epochs are a set: keys are only added, old chunks keep their epoch. Which one is current the pool's log decides. A
/// clone's keyring has the epochs of the volumes it came from, too, for reading their chunks and for nothing else.
/// Thread: any. Source: docs/formats/keys.md, "Keyring" and "Epochs of other volumes".
/// </remarks>
public sealed class VolumeKeyring
{
    /// <summary>The version this code writes and the newest it reads.</summary>
    public const byte FormatVersion = 1;

    private readonly ImmutableArray<(VolumeId Volume, EpochKey Key)> _foreign;

    private VolumeKeyring(
        VolumeId volume, DedupSecret dedup, ImmutableArray<EpochKey> epochs, EpochKey current,
        ImmutableArray<(VolumeId Volume, EpochKey Key)> foreign)
    {
        Volume = volume;
        Dedup = dedup;
        Epochs = epochs;
        Current = current;
        _foreign = foreign;
    }

    /// <summary>A keyring with one epoch, which is current.</summary>
    public VolumeKeyring(VolumeId volume, DedupSecret dedup, EpochKey current)
        : this(volume, dedup, [current], current, [])
    {
    }

    /// <summary>Whose keys these are.</summary>
    public VolumeId Volume { get; }

    /// <summary>Names chunks and places cuts.</summary>
    public DedupSecret Dedup { get; }

    /// <summary>Every key of this volume that is held, ordered by epoch id.</summary>
    public ImmutableArray<EpochKey> Epochs { get; }

    /// <summary>What new chunks and blocks are sealed under.</summary>
    public EpochKey Current { get; }

    /// <summary>The key of an epoch of this volume, if held.</summary>
    public bool TryGet(EpochId epoch, [NotNullWhen(true)] out EpochKey? key)
    {
        if (epoch == Current.Id)
        {
            key = Current;
            return true;
        }

        foreach (EpochKey held in Epochs)
        {
            if (held.Id == epoch)
            {
                key = held;
                return true;
            }
        }

        key = null;
        return false;
    }

    /// <summary>The key that opens chunks of an epoch, and the volume they were written for: this one, or another.</summary>
    internal bool TryGetForReading(EpochId epoch, out VolumeId volume, [NotNullWhen(true)] out EpochKey? key)
    {
        volume = Volume;
        if (TryGet(epoch, out key))
        {
            return true;
        }

        foreach ((VolumeId origin, EpochKey foreign) in _foreign)
        {
            if (foreign.Id == epoch)
            {
                (volume, key) = (origin, foreign);
                return true;
            }
        }

        return false;
    }

    /// <summary>The keyring that also reads chunks which were written for another volume.</summary>
    /// <param name="origin">That volume.</param>
    /// <param name="epochs">Keys of it.</param>
    public VolumeKeyring Reading(VolumeId origin, IEnumerable<EpochKey> epochs) =>
        new(Volume, Dedup, Epochs, Current, _foreign.AddRange(epochs.Select(key => (origin, key))));

    /// <summary>
    /// The keyring with one more key; the same keyring if one for that epoch is held. The current epoch stays.
    /// </summary>
    /// <remarks>Keys come from other members, who may be wrong: the first one in the log's order stands.</remarks>
    public VolumeKeyring With(EpochKey key)
    {
        if (TryGet(key.Id, out _))
        {
            return this;
        }

        int place = 0;
        while (place < Epochs.Length && Epochs[place].Id < key.Id)
        {
            place++;
        }

        return new VolumeKeyring(Volume, Dedup, Epochs.Insert(place, key), Current, _foreign);
    }

    /// <summary>The keyring with a key in the place of the one that is held for its epoch.</summary>
    public VolumeKeyring Replacing(EpochKey key) => new(
        Volume, Dedup, [.. Epochs.Select(held => held.Id == key.Id ? key : held)], Current.Id == key.Id ? key : Current,
        _foreign);

    /// <summary>The keyring with another of its epochs current.</summary>
    public VolumeKeyring WithCurrent(EpochId epoch)
    {
        Invariant.That(TryGet(epoch, out EpochKey? key), $"no key for epoch {epoch.Short}");
        return new VolumeKeyring(Volume, Dedup, Epochs, key!, _foreign);
    }

    /// <summary>All keys as bytes, to be sealed before they rest or travel.</summary>
    public byte[] Encode()
    {
        Invariant.That(_foreign.IsEmpty, "keys of other volumes stand in the pool's log, as those volumes' own");
        ArrayBufferWriter<byte> output = new();
        WireWriter writer = new(output);
        writer.Byte(FormatVersion);
        writer.Bytes16(Volume.Value);
        writer.Raw(Dedup.Bytes);
        writer.Bytes16(Current.Id.Value);
        writer.Count(Epochs.Length);
        foreach (EpochKey epoch in Epochs)
        {
            writer.Bytes16(epoch.Id.Value);
            writer.Raw(epoch.Bytes);
        }

        return output.WrittenSpan.ToArray();
    }

    /// <summary>Reads what <see cref="Encode"/> wrote; never throws on bad input.</summary>
    public static Result<VolumeKeyring, KeyringError> Decode(ReadOnlySpan<byte> bytes)
    {
        WireReader reader = new(bytes);
        byte version = reader.Byte();
        if (!reader.Failed && version > FormatVersion)
        {
            return KeyringError.NewerFormat;
        }

        reader.Require(version == FormatVersion);
        VolumeId volume = new(reader.Bytes16());
        ReadOnlySpan<byte> dedup = reader.Raw(DedupSecret.Size);
        EpochId current = new(reader.Bytes16());
        int count = reader.Count(Bytes16.Size + EpochKey.Size);
        ImmutableArray<EpochKey>.Builder epochs = ImmutableArray.CreateBuilder<EpochKey>(count);
        EpochKey? currentKey = null;
        for (int i = 0; i < count; i++)
        {
            EpochId id = new(reader.Bytes16());
            EpochKey key = new(id, reader.Raw(EpochKey.Size));
            reader.Require(i == 0 || epochs[i - 1].Id < id);
            epochs.Add(key);
            currentKey = id == current ? key : currentKey;
        }

        return reader.Complete && currentKey is not null
            ? new VolumeKeyring(volume, new DedupSecret(dedup), epochs.DrainToImmutable(), currentKey, [])
            : KeyringError.Malformed;
    }

    /// <summary>Never the keys.</summary>
    public override string ToString() => $"keyring of volume {Volume.Short}, {Epochs.Length} epochs";
}
