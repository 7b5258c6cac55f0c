using Cairn.Cli.Demo;
using Cairn.Cli.Output;

namespace Cairn.EndToEnd.Tests;

/// <summary>No space: in what the node gives, and on the host's own disk.</summary>
public sealed class FullDiskTests
{
    [Fact]
    public async Task A_full_drive_refuses_before_it_loses_anything_and_goes_on_when_there_is_room()
    {
        Assert.SkipUnless(File.Exists("/dev/fuse"), "there is no /dev/fuse here");
        await using DemoPool pool = DemoPool.Lay(folder: null, nodeCount: 1, keep: false);
        await pool.Start("96MiB", TestContext.Current.CancellationToken);
        await pool.Mount(TestContext.Current.CancellationToken);
        DemoNode node = pool.Nodes[0];

        // Files of their own size, each with its checksum beside the drive when cp said that it is there.
        await Shell.Run(
            """
            full=
            for i in $(seq 1 60); do
              head -c 4000000 /dev/urandom > "$OUT/source"
              if cp "$OUT/source" f$i 2> "$OUT/error" && sync f$i 2>> "$OUT/error"; then
                sha256sum < "$OUT/source" > "$OUT/f$i.sum"
              else full=yes; grep -q 'No space left' "$OUT/error" || { cat "$OUT/error"; exit 1; }; rm -f f$i; break; fi
            done
            test -n "$full"
            """.Replace("$OUT", pool.Root, StringComparison.Ordinal),
            node.Mount,
            seconds: 120);
        string check =
            """
            for s in $OUT/f*.sum; do
              f=$(basename "$s" .sum); sha256sum < $f | cmp - "$s" || { echo "$f differs"; exit 1; }
            done
            """.Replace("$OUT", pool.Root, StringComparison.Ordinal);
        await Shell.Run(check, node.Mount);
        await node.Kill(TestContext.Current.CancellationToken);
        await node.Start(TestContext.Current.CancellationToken);
        await Shell.Run(check, node.Mount);
        await Shell.Run("rm f1; ls; mkdir more", node.Mount);
    }

    [Fact]
    public async Task A_host_disk_that_somebody_else_fills_is_survived_and_named()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can mount a disk for this");
        string root = Directory.CreateTempSubdirectory("cairn-host-disk-").FullName;
        string disk = Path.Combine(root, "disk");
        Directory.CreateDirectory(disk);
        try
        {
            await Shell.Run(
                "truncate -s 400M image && mkfs.ext4 -q -F image && mount -o loop image disk || exit 1", root);
            DemoPool pool = DemoPool.Lay(Path.Combine(disk, "pool"), nodeCount: 1, keep: true);
            await using (pool)
            {
                DemoNode node = pool.Nodes[0];
                await pool.Start("128MiB", TestContext.Current.CancellationToken);
                await node.Must("volume", "create", "v");
                string file = Path.Combine(root, "file");
                await File.WriteAllBytesAsync(file, new byte[1_000_000], TestContext.Current.CancellationToken);
                await node.Must("put", file, "v/before");

                // Everything that is left, to the last block.
                await Shell.Run("dd if=/dev/zero of=disk/filler bs=1M 2>/dev/null || true; sync", root);
                for (int i = 0; i < 12; i++)
                {
                    string unlike = string.Join('\n', Enumerable.Range(i * 100_000, 100_000));
                    await File.WriteAllTextAsync(file, unlike, TestContext.Current.CancellationToken);
                    CairnProcess.Outcome put = await node.Try("put", file, $"v/during{i}");
                    Assert.True(put.ExitCode is ExitCode.Ok or ExitCode.Failed, put.ToString());
                    if (put.ExitCode == ExitCode.Ok)
                    {
                        Assert.Equal(unlike, await node.Must("cat", $"v/during{i}"));
                    }
                }

                Assert.Contains("Problem The disk that this", await node.Must("status"), StringComparison.Ordinal);
                await Shell.Run("rm disk/filler", root);
                await Eventually.Holds(
                    () => node.Try("put", file, "v/after").GetAwaiter().GetResult().ExitCode == 0,
                    "there is room again");
                Assert.Equal(1_000_000, (await node.Must("cat", "v/before")).Length);
            }
        }
        finally
        {
            await Shell.Run("umount -l disk || true; cd /; rm -rf \"$OLDPWD\"", root);
        }
    }
}
