namespace Cairn.Fuse.Tests;

/// <summary>Programs as people run them, in a mounted volume.</summary>
public sealed class RealProgramsTests
{
    /// <summary>
    /// Makes a tree with nested directories, links, odd modes and times, and sizes around every boundary.
    /// </summary>
    private const string MakeTree = """
        src=$(mktemp -d); trap 'rm -rf $src' EXIT
        for d in a a/b a/b/c 'with space' ; do mkdir -p "$src/$d"; done
        for n in 0 1 4095 4096 4097 65536 131073 1048576 1048577 3000000; do
          head -c $n /dev/urandom > $src/a/f$n; done
        for i in $(seq 300); do echo "file $i" > $src/a/b/n$i; done
        ln -s ../f1 $src/a/b/link; ln -s /nonexistent $src/dangling; ln $src/a/f4096 $src/a/b/c/hard
        chmod 751 $src/a; chmod 4755 $src/a/f1; chmod 600 $src/a/f4097; mkfifo $src/fifo
        touch -d '2001-02-03 04:05:06.789012345' $src/a/f65536 $src/a/b
        truncate -s 5M $src/sparse; printf x | dd of=$src/sparse bs=1 seek=2000000 conv=notrunc status=none

        """;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task CopyArchive_KeepsEverything(bool isLate)
    {
        await using MountedVolume drive = MountedVolume.Create(isLate: isLate);
        drive.Run(MakeTree + """
            cp -a $src copy
            diff -r --no-dereference $src copy 2>&1 | grep -v 'is a fifo' && exit 1
            list() { (cd $1; find . -printf '%P %y %m %n %U %G %l ' \
              \( -type d -printf '\n' -o -printf '%s %T@\n' \) | sort); }
            diff <(list $src) <(list copy)
            cp -a copy again; diff <(list copy) <(list again); rm -rf copy again; [ -z "$(ls -A)" ]
            """);
    }

    [Fact]
    public async Task Rsync_CopiesAndThenFindsNothingToDo()
    {
        await using MountedVolume drive = MountedVolume.Create();
        Assert.SkipUnless(File.Exists("/usr/bin/rsync"), "rsync is not installed");
        string second = drive.Run(MakeTree + """
            rsync -aHX $src/ copy/
            rsync -aHXc --itemize-changes $src/ copy/
            echo changed >> $src/a/b/n7; rm $src/a/b/n8
            rsync -aH --delete --inplace $src/ copy/; cmp $src/a/b/n7 copy/a/b/n7; [ ! -e copy/a/b/n8 ]
            """);
        Assert.Empty(second);
    }

    [Fact]
    public async Task Tar_GoesInAndOut()
    {
        await using MountedVolume drive = MountedVolume.Create();
        drive.Run(MakeTree + """
            tar -C $src -cf - . | tar -xpf - ; tar -cf $src.tar . ; mkdir $src.out; tar -C $src.out -xpf $src.tar
            trap 'rm -rf $src $src.out $src.tar' EXIT
            diff -r --no-dereference $src $src.out 2>&1 | grep -v 'is a fifo' && exit 1
            tar --compare -f $src.tar
            """);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Git_InitialisesCommitsClonesAndPacks(bool isLate)
    {
        await using MountedVolume drive = MountedVolume.Create(isLate: isLate);
        drive.Run("""
            git config --global --get user.none || true
            g() { git -c user.name=a -c user.email=a@a -c init.defaultBranch=main "$@"; }
            g init -q one; cd one
            for i in $(seq 200); do mkdir -p d$((i % 7)); echo "content $i" > d$((i % 7))/f$i; done
            g add -A; g commit -qm first; [ -z "$(g status --porcelain)" ]
            g mv d1/f1 moved; echo more >> d2/f2; g commit -qam second
            cd ..; g clone -q one two; cd two; g log --oneline | wc -l | grep -qx 2
            g gc -q --aggressive; g fsck --full --strict; cd ..; g clone -q file://$PWD/two three
            diff -r --exclude=.git one three
            cd one; g checkout -q HEAD~1; [ -e d1/f1 ]; [ -z "$(g status --porcelain)" ]
            """);
    }

    [Theory]
    [InlineData("DELETE", false)]
    [InlineData("WAL", false)]
    [InlineData("WAL", true)]
    [InlineData("TRUNCATE", true)]
    public async Task Sqlite_WorksFromSeveralProcesses(string journal, bool volumeLocks)
    {
        await using MountedVolume drive = MountedVolume.Create(new Session.FuseOptions { VolumeLocks = volumeLocks });
        Assert.SkipUnless(File.Exists("/usr/bin/sqlite3"), "sqlite3 is not installed");
        string printed = drive.Run($$"""
            sqlite3 db "PRAGMA journal_mode={{journal}}; CREATE TABLE t(a INTEGER PRIMARY KEY, b BLOB)" > /dev/null
            for p in 1 2 3; do (for i in $(seq 20); do
              sqlite3 -cmd '.timeout 20000' db "INSERT INTO t(b) VALUES (randomblob(3000))"; done) & done; wait
            sqlite3 db "PRAGMA integrity_check; SELECT count(*), sum(length(b)) FROM t"
            """);
        Assert.Equal("ok\n60|180000\n", printed);
    }

    [Fact]
    public async Task Editors_SaveByRenameAndKeepABackup()
    {
        await using MountedVolume drive = MountedVolume.Create();
        drive.Run("""
            echo one > note; chmod 640 note
            for i in $(seq 50); do
              cp -p note .note.tmp; echo "line $i" >> .note.tmp; sync .note.tmp; ln -f note note~; mv .note.tmp note
              [ "$(tail -1 note)" = "line $i" ]; [ $(wc -l < note) = $((i + 1)) ]; [ $(wc -l < note~) = $i ]
            done
            sed -i s/one/two/ note; head -1 note | grep -qx two; [ $(stat -c %a note) = 640 ]
            exec 3< note; mv note~ note; [ $(wc -l <&3) = 51 ]; [ $(wc -l < note) = 50 ]
            """);
    }

    [Fact]
    public async Task Compiling_AndRunningTheResult()
    {
        await using MountedVolume drive = MountedVolume.Create();
        Assert.SkipUnless(File.Exists("/usr/bin/gcc"), "gcc is not installed");
        string printed = drive.Run("""
            for i in 1 2 3; do echo "int f$i(void) { return $i; }" > f$i.c; gcc -c f$i.c; done; ar rc libf.a f*.o
            echo '#include <stdio.h>
            int f1(void), f2(void), f3(void); int main(void) { printf("%d\n", f1() + f2() + f3()); return 0; }' > main.c
            gcc -o main main.c -L. -lf; ./main; strip main; ./main
            """);
        Assert.Equal("6\n6\n", printed);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Fio_VerifiesMixedAndMappedWrites(bool isLate)
    {
        await using MountedVolume drive = MountedVolume.Create(isLate: isLate);
        Assert.SkipUnless(File.Exists("/usr/bin/fio"), "fio is not installed");
        drive.Run("""
            f() { fio --verify=crc32c --verify_fatal=1 --output=/dev/null "$@"; }
            f --name=v --size=16m --bsrange=512-256k --rw=randrw --ioengine=psync
            f --name=m --size=8m --bs=4k --rw=randwrite --ioengine=mmap
            f --name=d --size=8m --bs=16k --rw=randwrite --direct=1 --ioengine=libaio --iodepth=16
            """);
    }

    [Fact]
    public async Task StressNg_FindsNothing()
    {
        await using MountedVolume drive = MountedVolume.Create();
        Assert.SkipUnless(File.Exists("/usr/bin/stress-ng"), "stress-ng is not installed");
        drive.Run(
            """
            stress-ng --temp-path . --quiet --verify --timeout 3 --dir 1 --rename 1 --link 1 --symlink 1 --chmod 1 \
              --chown 1 --dentry 1 --dirdeep 1 --dirdeep-inodes 500 --fcntl 1 --hdd 1 --hdd-bytes 4m --iomix 1 \
              --iomix-bytes 4m --locka 1 --lockf 1 --seek 1 --utime 1 --xattr 1 --getdent 1 --access 1 --fstat 1
            [ -z "$(ls -A)" ]
            """);
    }

    [Fact]
    public async Task SetUserId_IsLostWhenAnotherUserWritesOrTheOwnerChanges()
    {
        await using MountedVolume drive = MountedVolume.Create();
        Assert.SkipUnless(File.Exists("/usr/bin/setpriv"), "setpriv is not installed");
        string printed = drive.Run("""
            chmod 777 .; as() { setpriv --reuid=1234 --regid=1234 --clear-groups "$@"; }
            for f in a b c d; do echo x > $f; chmod 777 $f; chmod u+s,g+s $f; done
            as sh -c 'echo y >> a; : > b'; chown 5 c; echo y >> d; stat -c '%n %a' a b c d
            """);
        Assert.Equal("a 777\nb 777\nc 777\nd 6777\n", printed);
    }

    [Fact]
    public async Task Permissions_AreTheKernelsBusiness()
    {
        await using MountedVolume drive = MountedVolume.Create();
        Assert.SkipUnless(File.Exists("/usr/bin/setpriv"), "setpriv is not installed");
        drive.Run("""
            as() { setpriv --reuid=1234 --regid=1234 --clear-groups "$@"; }
            echo secret > a; chmod 600 a; mkdir d s; chmod 700 d; chmod 1777 s; echo x > s/root
            ! as cat a; ! as ls d; ! as touch d/x; ! as rm s/root; as touch s/mine; as rm s/mine; ! as chmod 777 a
            """);
    }
}
