using System.Runtime.CompilerServices;

namespace Cairn.Architecture.Tests;

/// <summary>The sources, as files.</summary>
internal static class Repository
{
    private static readonly string[] CodeFolders = ["src", "sim", "tests", "bench"];

    /// <summary>The folder that holds Cairn.slnx.</summary>
    internal static string Root { get; } = FindRoot();

    /// <summary>Paths relative to the root, with '/', in ordinal order; nothing that a build made.</summary>
    internal static IReadOnlyList<string> Files(string folder, string pattern) =>
        Directory.Exists(Path.Join(Root, folder))
            ? [.. Directory.EnumerateFiles(Path.Join(Root, folder), pattern, SearchOption.AllDirectories)
                .Select(path => Path.GetRelativePath(Root, path))
                .Where(path => !path.Split('/').Any(part => part is "bin" or "obj" or "artifacts"))
                .Order(StringComparer.Ordinal)]
            : [];

    /// <summary>All C# sources.</summary>
    internal static IReadOnlyList<string> Sources() => [.. CodeFolders.SelectMany(folder => Files(folder, "*.cs"))];

    /// <summary>All project files.</summary>
    internal static IReadOnlyList<string> Projects() =>
        [.. CodeFolders.SelectMany(folder => Files(folder, "*.csproj"))];

    /// <summary>All documents: those in docs, and those at the root.</summary>
    internal static IReadOnlyList<string> Documents() =>
        [.. Files("docs", "*.md"), .. Directory.GetFiles(Root, "*.md").Select(path => Path.GetFileName(path)!)];

    internal static string Text(string path) => File.ReadAllText(Path.Join(Root, path));

    internal static string[] Lines(string path) => File.ReadAllLines(Path.Join(Root, path));

    /// <summary>The built assembly of a project of src, beside this test's own.</summary>
    internal static string Assembly(string project) => Path.Join(AppContext.BaseDirectory, project + ".dll");

    private static string FindRoot([CallerFilePath] string here = "")
    {
        DirectoryInfo? folder = new(Path.GetDirectoryName(here)!);
        while (folder is not null && !File.Exists(Path.Join(folder.FullName, "Cairn.slnx")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new DirectoryNotFoundException("Cairn.slnx is in no folder above " + here);
    }
}
