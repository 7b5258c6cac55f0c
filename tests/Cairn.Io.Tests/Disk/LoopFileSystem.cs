using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Cairn.Io.Tests.Disk;

/// <summary>A small ext4 in a file, mounted: a disk that really runs full and really fails. Needs root and loop devices.</summary>
internal sealed partial class LoopFileSystem : IDisposable
{
    // EXT4_IOC_SHUTDOWN with EXT4_GOING_FLAGS_NOLOGFLUSH (fs/ext4/ext4.h): nothing unsynced reaches the disk any more.
    private const nuint Shutdown = 0x8004587d;
    private const uint WithoutFlush = 2;

    private readonly TemporaryFolder _folder = new();

    private LoopFileSystem()
    {
    }

    /// <summary>Where it is mounted.</summary>
    internal string Path => _folder["mounted"];

    /// <summary>Mounts one of <paramref name="mebibytes"/> MiB; skips the test where that is not possible.</summary>
    internal static LoopFileSystem MountOrSkip(int mebibytes)
    {
        var made = new LoopFileSystem();
        Directory.CreateDirectory(made.Path);
        string image = made._folder["image"];
        using (FileStream file = File.Create(image))
        {
            file.SetLength((long)mebibytes << 20);
        }

        bool mounted = Run("mkfs.ext4", "-q", "-m", "0", image)
            && Run("mount", "-o", "loop,nodiscard", image, made.Path);
        if (!mounted)
        {
            made._folder.Dispose();
            Assert.Skip("loop devices cannot be mounted here");
        }

        return made;
    }

    /// <summary>Cuts the power: from now on the device takes nothing.</summary>
    internal void CutPower()
    {
        using FileStream root = File.Open(System.IO.Path.Join(Path, "handle"), FileMode.OpenOrCreate);
        uint how = WithoutFlush;
        Assert.Equal(0, Control((int)root.SafeFileHandle.DangerousGetHandle(), Shutdown, ref how));
    }

    public void Dispose()
    {
        Run("umount", "-l", Path);
        _folder.Dispose();
    }

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(int descriptor, nuint request, ref uint argument);

    private static bool Run(string program, params string[] arguments)
    {
        try
        {
            var start = new ProcessStartInfo(program, arguments)
            {
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            };
            using Process process = Process.Start(start)!;
            process.WaitForExit();
            return process.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return false;
        }
    }
}
