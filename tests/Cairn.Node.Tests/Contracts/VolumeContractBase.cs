using System.Text;
using Cairn.Core.Primitives;
using Cairn.Node.Volumes;

namespace Cairn.Node.Tests.Contracts;

/// <summary>What every part of the volume contract shares: the volume under test and short ways to use it.</summary>
public abstract class VolumeContractBase : IAsyncLifetime
{
    protected static Caller User { get; } = new(1000, 1001, 4242);

    protected static InodeNumber Root => InodeNumber.Root;

    protected IVolume Volume { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Volume = await OpenVolume();

    public async ValueTask DisposeAsync()
    {
        await CloseVolume();
        GC.SuppressFinalize(this);
    }

    /// <summary>A new, empty volume.</summary>
    protected abstract ValueTask<IVolume> OpenVolume();

    /// <summary>Ends what <see cref="OpenVolume"/> started.</summary>
    protected virtual ValueTask CloseVolume() => default;

    protected static ReadOnlyMemory<byte> Name(string text) => Encoding.UTF8.GetBytes(text);

    protected static byte[] Pattern(int length, int seed)
    {
        byte[] bytes = new byte[length];
        new Prng((ulong)seed).Fill(bytes);
        return bytes;
    }

    protected static async Task<T> Ok<T>(ValueTask<Result<T, VolumeError>> call)
    {
        Result<T, VolumeError> result = await call;
        Assert.True(result.IsOk, result.ToString());
        return result.Value;
    }

    protected static async Task Fails<T>(VolumeError expected, ValueTask<Result<T, VolumeError>> call)
    {
        Result<T, VolumeError> result = await call;
        Assert.False(result.IsOk, $"{result} instead of {expected}");
        Assert.Equal(expected, result.Error);
    }

    protected Task<OpenedFile> CreateFile(string name, InodeNumber? parent = null, uint mode = 0b110_100_100) =>
        Ok(Volume.Create(
            parent ?? Root, Name(name), mode, OpenIntent.Read | OpenIntent.Write | OpenIntent.Exclusive, User));

    /// <summary>A closed file with a content.</summary>
    protected async Task<InodeNumber> MakeFile(string name, byte[] content, InodeNumber? parent = null)
    {
        OpenedFile file = await CreateFile(name, parent);
        await WriteAll(file.Handle, 0, content);
        await Close(file.Handle);
        return file.Attributes.Inode;
    }

    protected async Task<InodeNumber> MakeDirectory(string name, InodeNumber? parent = null) =>
        (await Ok(Volume.MakeDirectory(parent ?? Root, Name(name), 0b111_101_101, User))).Inode;

    protected async Task<OpenHandle> Open(InodeNumber inode, OpenIntent intent = OpenIntent.Read | OpenIntent.Write) =>
        (await Ok(Volume.Open(inode, intent, User))).Handle;

    protected async Task Close(OpenHandle handle)
    {
        await Ok(Volume.Flush(handle, 0));
        await Ok(Volume.Release(handle));
    }

    protected async Task WriteAll(OpenHandle handle, long offset, byte[] data) =>
        Assert.Equal(data.Length, await Ok(Volume.Write(handle, offset, data)));

    protected async Task<byte[]> Read(OpenHandle handle, long offset, int length)
    {
        byte[] buffer = new byte[length];
        int count = await Ok(Volume.Read(handle, offset, buffer));
        return buffer[..count];
    }

    /// <summary>Opens, reads everything and closes.</summary>
    protected async Task<byte[]> ReadAll(InodeNumber inode)
    {
        OpenHandle handle = await Open(inode, OpenIntent.Read);
        long size = (await Ok(Volume.GetAttributes(inode))).SizeBytes;
        byte[] content = await Read(handle, 0, checked((int)size + 16));
        await Close(handle);
        Assert.Equal(size, content.Length);
        return content;
    }

    protected async Task<InodeNumber> Find(string name, InodeNumber? parent = null) =>
        (await Ok(Volume.Lookup(parent ?? Root, Name(name)))).Inode;

    protected async Task<string[]> List(InodeNumber directory, int page = 1000)
    {
        List<string> names = [];
        ulong cookie = 0;
        while (true)
        {
            IReadOnlyList<DirectoryEntry> entries = await Ok(Volume.ReadDirectory(directory, cookie, page));
            foreach (DirectoryEntry entry in entries)
            {
                Assert.NotEqual(0UL, entry.Cookie);
                Assert.True(entry.Cookie < 1UL << 62, "a door adds to cookies and passes them as signed numbers");
                names.Add(Encoding.UTF8.GetString(entry.Name.Span));
            }

            if (entries.Count < page)
            {
                break;
            }

            cookie = entries[^1].Cookie;
        }

        names.Sort(StringComparer.Ordinal);
        return [.. names];
    }
}
