using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Cairn.EndToEnd.Tests;

/// <summary>The drive as people use it, on four real nodes.</summary>
[Collection("pool")]
public sealed class DriveTests(PoolFixture fixture)
{
    private string Drive(int number) => fixture.Node(number).Mount;

    private string Folder(int number, string name)
    {
        string path = Path.Combine(Drive(number), name);
        Directory.CreateDirectory(path);
        return path;
    }

    [Fact]
    public async Task A_file_written_on_one_node_is_read_on_all_others()
    {
        byte[] data = RandomNumberGenerator.GetBytes(3_000_000);
        await File.WriteAllBytesAsync(Path.Combine(Drive(1), "shared.bin"), data, TestContext.Current.CancellationToken);
        for (int node = 2; node <= 4; node++)
        {
            string path = Path.Combine(Drive(node), "shared.bin");
            await Eventually.Holds(() => File.ReadAllBytes(path).AsSpan().SequenceEqual(data), $"node {node} shows the bytes");
        }
    }

    [Fact]
    public async Task An_overwrite_is_seen_in_an_open_mount_elsewhere()
    {
        string here = Path.Combine(Drive(1), "changing.txt");
        string there = Path.Combine(Drive(2), "changing.txt");
        for (int round = 0; round < 5; round++)
        {
            string text = $"round {round} " + new string('x', round * 1000);
            await File.WriteAllTextAsync(here, text, TestContext.Current.CancellationToken);
            await Eventually.Holds(() => File.ReadAllText(there) == text, $"round {round} is seen");
        }
    }

    [Fact]
    public async Task Who_has_a_file_open_is_shown_to_others_and_prevents_nothing()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        string here = Path.Combine(Drive(1), "plan.txt");
        string there = Path.Combine(Drive(2), "plan.txt");
        await File.WriteAllTextAsync(here, "plan", cancellation);
        await Eventually.Holds(() => File.ReadAllText(there) == "plan", "the file arrives");
        using (new FileStream(here, FileMode.Open, FileAccess.ReadWrite))
        {
            string open = $"open for writing on {fixture.Node(1).Name}";
            await Eventually.Holds(
                () => fixture.Node(2).Must("stat", "shared/plan.txt").Result.Contains(open, StringComparison.Ordinal),
                "the other node says so");
            string shown = await Shell.Run(
                "python3 -c \"import os; print(os.getxattr('plan.txt', 'user.cairn.open').decode())\"", Drive(2));
            Assert.Equal(fixture.Node(1).Name, shown.Trim());
            Assert.Contains("plan.txt", await fixture.Node(2).Must("who", "shared"), StringComparison.Ordinal);
            using FileStream second = new(there, FileMode.Open, FileAccess.ReadWrite);
        }

        await Eventually.Holds(
            () => Encoding.UTF8.GetString(fixture.Node(2).Ask("/v1/open?volume=shared&path=")) == "[]",
            "nothing is open");
    }

    [Fact]
    public async Task Directories_renames_and_deletes_travel()
    {
        Directory.CreateDirectory(Path.Combine(Drive(1), "a/b/c"));
        await File.WriteAllTextAsync(Path.Combine(Drive(1), "a/b/c/file"), "text", TestContext.Current.CancellationToken);
        await Eventually.Holds(() => File.ReadAllText(Path.Combine(Drive(3), "a/b/c/file")) == "text", "the file arrives");
        Directory.Move(Path.Combine(Drive(3), "a/b"), Path.Combine(Drive(3), "moved"));
        await Eventually.Holds(() => File.ReadAllText(Path.Combine(Drive(1), "moved/c/file")) == "text", "the move arrives");
        Assert.False(Directory.Exists(Path.Combine(Drive(1), "a/b")));
        Directory.Delete(Path.Combine(Drive(1), "moved"), recursive: true);
        await Eventually.Holds(() => !Directory.Exists(Path.Combine(Drive(4), "moved")), "the delete arrives");
    }

    /// <summary>Names and sizes are here, whoever holds the bytes. The others are stopped: they answer nothing.</summary>
    [Fact]
    public async Task Find_and_du_and_ls_show_everything_while_nobody_answers()
    {
        const string look =
            """
            find alone -printf '%p %y %s %m %T@\n' | sort
            du -a --apparent-size alone | sort -k2
            ls -lRn --time-style=+%s alone
            df . >&2
            """;
        await Shell.Run(
            """
            mkdir -p alone/a/b alone/c && ln -s a alone/link
            for i in 1 2 3 4 5; do head -c ${i}00000 /dev/urandom > alone/a/b/f$i; done
            """, Drive(1));
        string shown = await Shell.Run(look, Drive(1));
        string last = Path.Combine(Drive(4), "alone/a/b/f5");
        await Eventually.Holds(() => new FileInfo(last).Length == 500_000, "the last arrives");
        string others = string.Join(' ', Enumerable.Range(1, 3).Select(number => fixture.Node(number).ProcessId));
        try
        {
            await Shell.Run($"kill -STOP {others}", "/");
            Assert.Equal(shown, await Shell.Run(look, Drive(4), seconds: 20));
        }
        finally
        {
            await Shell.Run($"kill -CONT {others}", "/");
        }
    }

    [Fact]
    public async Task Git_works_and_its_repository_reads_whole_elsewhere()
    {
        string repository = Folder(1, "git");
        await Shell.Run(
            """
            git init -q . && for i in $(seq 1 60); do mkdir -p d$((i % 7)); seq 1 $((i * 50)) > d$((i % 7))/f$i; done
            git add -A && git commit -qm one && git mv d1 d9 && git commit -qm two && git clone -q . ../git-clone && git -C ../git-clone fsck --strict
            test -z "$(git status --porcelain)"
            """, repository);
        string head = (await Shell.Run("git rev-parse HEAD", repository)).Trim();
        string other = Path.Combine(Drive(2), "git");
        await Eventually.Holds(() => File.Exists(Path.Combine(other, "d9/f1")) && Directory.Exists(Path.Combine(Drive(2), "git-clone/.git")), "git arrives");
        await fixture.Node(1).Run(TestContext.Current.CancellationToken, "wait", "--safe", "--quiet", "--timeout", "30");
        Assert.Equal(head, (await Shell.Run("git -c safe.directory='*' fsck --strict >&2 && git -c safe.directory='*' rev-parse HEAD", other)).Trim());
    }

    [Fact]
    public async Task Rsync_and_tar_and_cp_keep_what_they_copy()
    {
        string work = Folder(2, "copies");
        await Shell.Run(
            """
            src=$(mktemp -d); trap 'rm -rf "$src"' EXIT
            mkdir -p "$src/sub dir"; head -c 3000000 /dev/urandom > "$src/big"; echo hello > "$src/sub dir/file"
            ln -s big "$src/link"; ln "$src/big" "$src/hard"
            chmod 640 "$src/big"; touch -d 2001-02-03T04:05:06 "$src/sub dir/file"
            cp -a "$src" cp; rsync -aH "$src/" rsync/; mkdir tar; tar -C "$src" -cf - . | tar -C tar -xf -
            for d in cp rsync tar; do diff -r "$src" $d; test "$(stat -c %a $d/big)" = 640
              test "$(stat -c %Y "$d/sub dir/file")" = "$(stat -c %Y "$src/sub dir/file")"
              test "$(stat -c %h $d/big)" = 2; test "$(readlink $d/link)" = big; done
            test -z "$(rsync -aHni "$src/" rsync/)"
            """, work);
    }

    [Fact]
    public async Task Sqlite_keeps_its_transactions()
    {
        string work = Folder(1, "sqlite");
        string count = await Shell.Run(
            """
            sqlite3 x.db 'create table t(id integer primary key, v text);'
            for i in $(seq 1 40); do sqlite3 x.db "insert into t(v) values(hex(randomblob(500)));"; done
            sqlite3 x.db 'pragma journal_mode=wal;' >/dev/null; for i in $(seq 1 20); do sqlite3 x.db "insert into t(v) values('w');"; done
            sqlite3 x.db 'pragma integrity_check;' | grep -qx ok; sqlite3 x.db 'select count(*) from t;'
            """, work);
        Assert.Equal("60", count.Trim());
    }

    [Fact]
    public async Task An_editors_save_by_rename_is_one_file_with_the_new_text()
    {
        string folder = Folder(1, "editor");
        string path = Path.Combine(folder, "doc.txt");
        for (int save = 0; save < 20; save++)
        {
            string temporary = path + ".tmp";
            await File.WriteAllTextAsync(temporary, $"save {save}", TestContext.Current.CancellationToken);
            File.Move(temporary, path, overwrite: true);
        }

        string there = Path.Combine(Drive(3), "editor");
        await Eventually.Holds(() => File.ReadAllText(Path.Combine(there, "doc.txt")) == "save 19", "the last save arrives");
        Assert.Equal(["doc.txt"], Directory.GetFiles(there).Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_program_compiles_in_the_drive()
    {
        string work = Folder(2, "compile");
        await Shell.Run(
            """
            printf 'int add(int a,int b){return a+b;}\n' > add.c; printf 'int add(int,int);int main(){return add(20,22)-42;}\n' > main.c
            printf 'main: main.o add.o\n\tcc -o $@ $^\n' > Makefile; make -s; ./main; touch add.c; make -s; ./main
            """, work);
    }

    [Theory]
    [InlineData("with\nnewline")]
    [InlineData("émoji 🪨 name")]
    [InlineData(" leading and trailing ")]
    [InlineData("-dash")]
    public async Task Any_name_travels(string name)
    {
        string folder = Folder(1, "names");
        await File.WriteAllTextAsync(Path.Combine(folder, name), name, TestContext.Current.CancellationToken);
        string there = Path.Combine(Drive(4), "names", name);
        await Eventually.Holds(() => File.ReadAllText(there) == name, "the name arrives");
    }

    [Fact]
    public async Task Names_of_255_bytes_and_invalid_utf8_travel()
    {
        string folder = Folder(1, "hardnames");
        await Shell.Run("printf a > \"$(printf 'x%.0s' $(seq 255))\"; printf b > $'inv\\xff\\xfealid'; ! touch \"$(printf 'x%.0s' $(seq 256))\" 2>/dev/null", folder);
        string there = Path.Combine(Drive(2), "hardnames");
        await Eventually.Holds(() => Directory.Exists(there) && Directory.GetFileSystemEntries(there).Length == 2, "both arrive");
        await Shell.Run("for i in $(seq 200); do [ \"$(cat $'inv\\xff\\xfealid')\" = b ] && exit 0; sleep 0.05; done; exit 1", there);
    }

    /// <summary>What a listing says can be given to the next command, whatever bytes it is made of.</summary>
    [Fact]
    public async Task Any_name_can_be_listed_and_used_without_a_mount()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        string folder = Folder(1, "anyname");
        await Shell.Run(
            "printf a > $'two\\nlines \\x1b[2J'; printf b > $'caf\\xe9'; "
            + "printf c > $'caf\\xe8'; printf d > 'émoji 🪨'",
            folder);
        string listing = await fixture.Node(1).Run(cancellation, "ls", "shared/anyname");
        Assert.Equal(5, listing.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains("two\\nlines \\x1b[2J", listing, StringComparison.Ordinal);
        Assert.Contains("caf\\xe9", listing, StringComparison.Ordinal);

        using JsonDocument names =
            JsonDocument.Parse(await fixture.Node(1).Run(cancellation, "ls", "shared/anyname", "--json"));
        List<string> read = [];
        foreach (JsonElement entry in names.RootElement.EnumerateArray())
        {
            string path = $"shared/anyname/{entry.GetProperty("name").GetString()}";
            read.Add(await fixture.Node(1).Run(cancellation, "cat", path));
            await fixture.Node(1).Run(cancellation, "rm", path);
        }

        Assert.Equal(["a", "b", "c", "d"], read.Order(StringComparer.Ordinal));
        Assert.Empty(Directory.GetFileSystemEntries(folder));
    }

    [Fact]
    public async Task Files_without_a_mount()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        string local = Path.GetTempFileName();
        await File.WriteAllTextAsync(local, "through the command line", cancellation);
        await fixture.Node(1).Run(cancellation, "mkdir", "-p", "shared/cli/deep");
        await fixture.Node(1).Run(cancellation, "put", local, "shared/cli/deep/file");
        Assert.Equal("through the command line", await fixture.Node(1).Run(cancellation, "cat", "shared/cli/deep/file"));
        await fixture.Node(1).Run(cancellation, "mv", "shared/cli/deep/file", "shared/cli/renamed");
        await Eventually.Holds(() => File.ReadAllText(Path.Combine(Drive(2), "cli/renamed")) == "through the command line", "put arrives");
        Assert.Contains("renamed", await fixture.Node(2).Run(cancellation, "ls", "shared/cli"), StringComparison.Ordinal);
        Assert.Contains("\"sizeBytes\":24", await fixture.Node(2).Run(cancellation, "stat", "shared/cli/renamed", "--json"), StringComparison.Ordinal);
        string longest = new('x', 255);
        await fixture.Node(1).Run(cancellation, "put", local, "shared/cli/" + longest);
        await fixture.Node(1).Run(cancellation, "get", "shared/cli/" + longest, fixture.Pool.Root);
        string got = Path.Combine(fixture.Pool.Root, longest);
        Assert.Equal("through the command line", await File.ReadAllTextAsync(got, cancellation));
        File.Delete(got);
        await fixture.Node(2).Run(cancellation, "rm", "-r", "shared/cli");
        await Eventually.Holds(() => !Directory.Exists(Path.Combine(Drive(1), "cli")), "rm arrives");
        File.Delete(local);
    }

    [Fact]
    public async Task Concurrent_edits_are_both_kept_and_shown_everywhere_alike()
    {
        string folder = Folder(1, "conflict");
        await File.WriteAllTextAsync(Path.Combine(folder, "note.txt"), "base", TestContext.Current.CancellationToken);
        string there = Path.Combine(Drive(2), "conflict", "note.txt");
        await Eventually.Holds(() => File.ReadAllText(there) == "base", "the base arrives");
        // Both are open on the base version before either is published: neither saw the other.
        await using (FileStream one = new(Path.Combine(folder, "note.txt"), FileMode.Open, FileAccess.ReadWrite))
        await using (FileStream two = new(there, FileMode.Open, FileAccess.ReadWrite))
        {
            await one.WriteAsync(Encoding.UTF8.GetBytes("edit of one"), TestContext.Current.CancellationToken);
            await two.WriteAsync(Encoding.UTF8.GetBytes("edit of two"), TestContext.Current.CancellationToken);
        }

        string[] wanted = ["edit of one", "edit of two"];
        for (int node = 1; node <= 4; node++)
        {
            string shown = Path.Combine(Drive(node), "conflict");
            await Eventually.Holds(
                () => Directory.GetFiles(shown).Select(File.ReadAllText).Order(StringComparer.Ordinal).SequenceEqual(wanted),
                $"node {node} shows both edits");
        }

        string[] names = [.. Enumerable.Range(1, 4).Select(node => string.Join('|', Directory.GetFiles(Path.Combine(Drive(node), "conflict"))
            .Select(Path.GetFileName).Order(StringComparer.Ordinal)))];
        Assert.Single(names.Distinct());
        Assert.Matches(@"note \(conflict node[12] \d", names[0]);
    }

    [Fact]
    public async Task Safe_names_four_nodes_and_status_says_that_nothing_is_to_do()
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        await File.WriteAllBytesAsync(Path.Combine(Drive(1), "safe.bin"), RandomNumberGenerator.GetBytes(2_000_000), cancellation);
        await fixture.Node(1).Run(cancellation, "wait", "--safe", "shared/safe.bin", "--quiet", "--timeout", "30");
        string safe = await fixture.Node(1).Run(cancellation, "safe", "shared/safe.bin");
        for (int node = 1; node <= 4; node++)
        {
            Assert.Contains($"node{node}", safe, StringComparison.Ordinal);
        }

        await fixture.Node(1).Run(cancellation, "wait", "--safe", "--quiet", "--timeout", "30");
        string status = await fixture.Node(1).Run(cancellation, "status");
        Assert.Contains("Everything has 4 copies. Nothing to do.", status, StringComparison.Ordinal);
    }
}
