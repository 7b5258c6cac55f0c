namespace Cairn.Io.FuseDevice;

/// <summary>A directory as the kernel calls it where something is mounted on it: without symbolic links.</summary>
/// <remarks>
/// The kernel's list of mounts has no links in it, and refuses to unmount through one. Only readlink(2) is asked, which
/// goes no further than the names: a dead mount at the end answers everything else with "not connected".
/// </remarks>
public static class MountPath
{
    private const int LinksMax = 40;

    /// <summary>The absolute path with every link followed; what does not exist stays as it is.</summary>
    public static string Resolve(string directory)
    {
        Stack<string> left = new();
        Push(left, Path.GetFullPath(directory));
        string resolved = "/";
        for (int links = 0; left.TryPop(out string? name);)
        {
            string next = Path.Join(resolved, name);
            if (name is "..")
            {
                resolved = Path.GetDirectoryName(resolved) ?? "/";
            }
            else if (links < LinksMax && LinkAt(next) is { } target)
            {
                links++;
                resolved = Path.IsPathRooted(target) ? "/" : resolved;
                Push(left, target);
            }
            else
            {
                resolved = next;
            }
        }

        return resolved;
    }

    private static void Push(Stack<string> left, string path)
    {
        foreach (string name in path.Split('/', StringSplitOptions.RemoveEmptyEntries).Reverse())
        {
            if (name is not ".")
            {
                left.Push(name);
            }
        }
    }

    private static string? LinkAt(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
