using System.Diagnostics;
using System.Globalization;
using System.Text;
using Cairn.Cli.Daemon;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Volumes;

namespace Cairn.Bench.Micro;

/// <summary>Fills a volume of a node that is down with many small files, through its engine, without a kernel in between.</summary>
/// <remarks>What bench/Start measures a daemon over. Nothing is asked of the machine here: no gate.</remarks>
internal static class QuickHome
{
    private const int FilesPerFolder = 500;
    private const int ContentBytes = 108;
    private const int FilesPerReport = 100_000;

    /// <summary>Folders d0000, d0001 … of 500 files each, as bench/Start/start makes them through a mount.</summary>
    /// <param name="home">Made by <c>cairn init</c>; no daemon runs on it.</param>
    /// <param name="volumeName">There already.</param>
    /// <param name="files">How many.</param>
    public static async Task<int> Run(string home, string volumeName, int files)
    {
        await using RunningNode node =
            await RunningNode.Open(home, HomeConfig.Load(home), NodeKeys.Load(home, passphrase: null));
        Result<IVolume, ControlError> found = await node.World.Loop.Call(
            async () => await node.Node.Volume(volumeName, CancellationToken.None));
        if (!found.TryGet(out IVolume? volume, out ControlError missing))
        {
            Console.Error.WriteLine(missing.Message);
            return 1;
        }

        long start = Stopwatch.GetTimestamp();
        byte[] content = new byte[ContentBytes];
        new Prng(1).Fill(content);
        InodeNumber folder = InodeNumber.Root;
        for (int i = 0; i < files; i++)
        {
            if (i % FilesPerFolder == 0)
            {
                folder = Must(await volume.MakeDirectory(
                    InodeNumber.Root, Name($"d{i / FilesPerFolder:d4}"), 0x1ED, Caller.Daemon)).Inode;
            }

            BitConverter.TryWriteBytes(content, i);
            OpenedFile file = Must(await volume.Create(
                folder, Name($"f{i:d6}"), 0x1A4, OpenIntent.Write | OpenIntent.Exclusive, Caller.Daemon));
            Must(await volume.Write(file.Handle, 0, content));
            Must(await volume.Release(file.Handle));
            if ((i + 1) % FilesPerReport == 0)
            {
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{i + 1} files, {Stopwatch.GetElapsedTime(start).TotalSeconds:F0} s"));
            }
        }

        return 0;
    }

    private static byte[] Name(string text) => Encoding.UTF8.GetBytes(text);

    private static T Must<T>(Result<T, VolumeError> result) =>
        result.TryGet(out T? value, out VolumeError error) ? value : throw new InvariantException(error.ToString());
}
