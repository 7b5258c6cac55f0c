using System.Diagnostics;
using System.Security.Cryptography;
using Cairn.Coding.Encryption;
using Cairn.Core.Primitives;
using Cairn.Node.Ports;
using Cairn.Storage.Ports;

namespace Cairn.Io.Identity;

/// <summary>The file that holds a node's identity key, open or sealed with a passphrase.</summary>
/// <remarks>
/// The file is replaced by rename, so at every moment one whole key is there. What an open key leaves behind is
/// overwritten before it is let go; a disk that writes elsewhere (most flash) may still keep it. Processes take turns, by a
/// lock on the folder: a daemon that starts would take the file that `cairn lock` is about to rename for one that a crash left.
/// </remarks>
public sealed class KeyStore(IDisk disk, IEntropy entropy)
{
    /// <summary>The file's name below the disk's root.</summary>
    public const string FileName = "identity.key";

    private const string NewFileName = "identity.key.new";
    private static readonly TimeSpan TurnEvery = TimeSpan.FromMilliseconds(20);

    /// <summary>Rounds of the passphrase hash for new seals; the default takes a fifth of a second.</summary>
    public int SealIterations { get; init; } = PassphraseSeal.IterationsDefault;

    /// <summary>How long another process may have the key; it takes a second at most. Default 10 s.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How the key lies on the disk.</summary>
    public Result<KeyState, KeyError> State() =>
        Read().TryGet(out (KeyState State, byte[] Payload) file, out KeyError error) ? file.State : error;

    /// <summary>Makes this node's key and keeps it, open. Refused when there is one already.</summary>
    public Result<FileIdentity, KeyError> Create()
    {
        using IDiskFile? turn = TakeTurn(out KeyError busy);
        return turn is null ? busy : Make();
    }

    private Result<FileIdentity, KeyError> Make()
    {
        if (State().TryGet(out _, out KeyError found))
        {
            return new KeyError(KeyErrorKind.Exists, "this home has an identity already");
        }

        if (found.Kind != KeyErrorKind.Missing)
        {
            return found;
        }

        FileIdentity identity = FileIdentity.Generate();
        byte[] key = identity.ExportPkcs8();
        Result<Unit, KeyError> kept = Replace(KeyState.Open, key);
        CryptographicOperations.ZeroMemory(key);
        if (kept.TryGet(out _, out KeyError error))
        {
            return identity;
        }

        identity.Dispose();
        return error;
    }

    /// <summary>Reads the key.</summary>
    /// <param name="passphrase">Needed when it is sealed, else ignored.</param>
    public Result<FileIdentity, KeyError> Load(string? passphrase = null)
    {
        using IDiskFile? turn = TakeTurn(out KeyError busy);
        if (turn is null)
        {
            return busy;
        }

        ForgetUnfinished();
        if (!ReadKey(passphrase).TryGet(out byte[]? key, out KeyError error))
        {
            return error;
        }

        FileIdentity? identity = FileIdentity.FromPkcs8(key);
        CryptographicOperations.ZeroMemory(key);
        return identity is null
            ? new KeyError(KeyErrorKind.Damaged, "the key file holds no P-256 key")
            : identity;
    }

    /// <summary>Seals an open key with a passphrase. From then on nothing can be read without it.</summary>
    public Result<Unit, KeyError> Lock(string passphrase)
    {
        using IDiskFile? turn = TakeTurn(out KeyError busy);
        if (turn is null)
        {
            return busy;
        }

        ForgetUnfinished();
        Result<KeyState, KeyError> state = State();
        if (state.IsOk && state.Value == KeyState.Sealed)
        {
            return new KeyError(KeyErrorKind.Sealed, "the key is sealed already");
        }

        if (!ReadKey(null).TryGet(out byte[]? key, out KeyError error))
        {
            return error;
        }

        Span<byte> salt = stackalloc byte[PassphraseSeal.SaltSize];
        entropy.Fill(salt);
        byte[] sealedKey = PassphraseSeal.Seal(passphrase, salt, SealIterations, key);
        CryptographicOperations.ZeroMemory(key);
        return Replace(KeyState.Sealed, sealedKey);
    }

    /// <summary>Writes a sealed key back open, so that the node starts without a passphrase again.</summary>
    public Result<Unit, KeyError> Unlock(string passphrase)
    {
        using IDiskFile? turn = TakeTurn(out KeyError busy);
        if (turn is null)
        {
            return busy;
        }

        Result<KeyState, KeyError> state = State();
        if (state.IsOk && state.Value == KeyState.Open)
        {
            return new KeyError(KeyErrorKind.NotSealed, "the key is not sealed");
        }

        if (!ReadKey(passphrase).TryGet(out byte[]? key, out KeyError error))
        {
            return error;
        }

        Result<Unit, KeyError> done = Replace(KeyState.Open, key);
        CryptographicOperations.ZeroMemory(key);
        return done;
    }

    /// <summary>Waits until no other process reads or changes the key; null, and why, if one does for too long.</summary>
    private IDiskFile? TakeTurn(out KeyError busy)
    {
        busy = default;
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            if (!disk.Open(string.Empty, DiskOpenMode.Read).TryGet(out IDiskFile? folder, out DiskError error))
            {
                busy = OfDisk(error);
                return null;
            }

            if (folder.TryLock().TryGet(out _, out error))
            {
                return folder;
            }

            folder.Dispose();
            if (error.Kind != DiskErrorKind.Locked || Stopwatch.GetElapsedTime(start) >= Patience)
            {
                busy = error.Kind == DiskErrorKind.Locked
                    ? new KeyError(KeyErrorKind.Disk, "another command is changing the key; try again")
                    : OfDisk(error);
                return null;
            }

            Thread.Sleep(TurnEvery);
        }
    }

    private Result<byte[], KeyError> ReadKey(string? passphrase)
    {
        if (!Read().TryGet(out (KeyState State, byte[] Payload) file, out KeyError error))
        {
            return error;
        }

        if (file.State == KeyState.Open)
        {
            return file.Payload;
        }

        if (passphrase is null)
        {
            return new KeyError(KeyErrorKind.Sealed, "the key is sealed: cairn unlock");
        }

        return PassphraseSeal.Open(passphrase, file.Payload).TryGet(out byte[]? key, out SealError refused)
            ? key
            : Explain(refused);
    }

    private static KeyError Explain(SealError refused) => refused switch
    {
        SealError.NotAuthentic => new KeyError(KeyErrorKind.WrongPassphrase, "the passphrase is not the right one"),
        SealError.NewerFormat => new KeyError(KeyErrorKind.NewerFormat, "a newer version of Cairn sealed the key"),
        SealError.WrongLength or SealError.Malformed or SealError.UnknownEpoch or SealError.Replayed =>
            new KeyError(KeyErrorKind.Damaged, $"the sealed key is damaged ({refused})"),
        _ => throw new UnreachableException(),
    };

    private Result<(KeyState State, byte[] Payload), KeyError> Read()
    {
        if (!disk.Open(FileName, DiskOpenMode.Read).TryGet(out IDiskFile? file, out DiskError error))
        {
            return error.Kind == DiskErrorKind.NotFound
                ? new KeyError(KeyErrorKind.Missing, "this home has no identity: cairn init, join or recover")
                : OfDisk(error);
        }

        using (file)
        {
            if (!file.Length().TryGet(out long length, out error))
            {
                return OfDisk(error);
            }

            byte[] bytes = new byte[(int)Math.Min(length, KeyFile.BytesMax)];
            return file.Read(0, bytes).TryGet(out _, out error) ? KeyFile.Decode(bytes) : OfDisk(error);
        }
    }

    private Result<Unit, KeyError> Replace(KeyState state, ReadOnlySpan<byte> payload)
    {
        byte[] bytes = KeyFile.Encode(state, payload);
        Result<Unit, DiskError> done = WriteNew(bytes);
        CryptographicOperations.ZeroMemory(bytes);
        if (!done.TryGet(out _, out DiskError error))
        {
            return OfDisk(error);
        }

        // The old file is held open across the rename, so that its blocks can be overwritten once nothing needs them.
        Result<IDiskFile, DiskError> old = disk.Open(FileName, DiskOpenMode.ReadWrite);
        bool replaced = disk.Rename(NewFileName, FileName).TryGet(out _, out error)
            && disk.SyncDirectory(string.Empty).TryGet(out _, out error);
        if (old.IsOk)
        {
            using IDiskFile file = old.Value;
            if (replaced)
            {
                Overwrite(file);
            }
        }

        return replaced ? Unit.Value : OfDisk(error);
    }

    private Result<Unit, DiskError> WriteNew(ReadOnlySpan<byte> bytes)
    {
        if (!disk.Open(NewFileName, DiskOpenMode.OpenOrCreate).TryGet(out IDiskFile? file, out DiskError error))
        {
            return error;
        }

        using (file)
        {
            bool written = file.SetLength(0).TryGet(out _, out error)
                && file.Write(0, bytes).TryGet(out _, out error)
                && file.Sync().TryGet(out _, out error);
            return written ? Unit.Value : error;
        }
    }

    /// <summary>A crash while the key was written anew may have left it open beside one that is sealed.</summary>
    private void ForgetUnfinished()
    {
        if (disk.Open(NewFileName, DiskOpenMode.ReadWrite).TryGet(out IDiskFile? left, out _))
        {
            using (left)
            {
                Overwrite(left);
            }

            _ = disk.Delete(NewFileName);
        }
    }

    // Best effort: the new key is safe already, whatever becomes of the old file's blocks.
    private static void Overwrite(IDiskFile file)
    {
        Result<long, DiskError> length = file.Length();
        if (length.IsOk)
        {
            _ = file.Write(0, new byte[(int)Math.Min(length.Value, KeyFile.BytesMax)]);
            _ = file.Sync();
        }
    }

    private static KeyError OfDisk(DiskError error) => new(KeyErrorKind.Disk, error.ToString());
}
