namespace Cairn.Cli.Daemon;

/// <summary>A home in the making: an attempt that fails takes back what it made there, and nothing else.</summary>
public sealed class NewHome
{
    private readonly string _home;
    private readonly bool _isFolderNew;
    private readonly string[] _new;

    /// <summary>Looks at what is there before anything is made.</summary>
    public NewHome(string home)
    {
        _home = home;
        _isFolderNew = !Directory.Exists(home);
        _new =
        [
            .. new[] { HomeFolder.Keys(home), HomeFolder.Store(home), HomeFolder.Index(home) }
                .Where(folder => !Directory.Exists(folder)),
        ];
    }

    /// <summary>Removes what was made since.</summary>
    /// <param name="keepsKeys">
    /// The pool may have let this machine in already: another attempt then has to be the same machine, or one that never
    /// comes would be waited for.
    /// </param>
    public void TakeBack(bool keepsKeys)
    {
        foreach (string folder in _new.Where(
            folder => Directory.Exists(folder) && !(keepsKeys && folder == HomeFolder.Keys(_home))))
        {
            Directory.Delete(folder, recursive: true);
        }

        if (_isFolderNew && Directory.Exists(_home) && !Directory.EnumerateFileSystemEntries(_home).Any())
        {
            Directory.Delete(_home);
        }
    }
}
