using Cairn.Core.Primitives;
using Cairn.Io.Disk;
using Cairn.Io.Entropy;
using Cairn.Io.Identity;

namespace Cairn.Io.Tests.Identity;

public sealed class KeyStoreTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly KeyStore _keys;

    public KeyStoreTests() => _keys = new KeyStore(RealDisk.OpenRoot(_folder["keys"]).Value, new SystemEntropy())
    {
        SealIterations = 10,
    };

    private string File => _folder["keys/" + KeyStore.FileName];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_home_without_a_key_says_so() =>
        Assert.Equal(KeyErrorKind.Missing, _keys.Load().Error.Kind);

    [Fact]
    public void A_key_is_made_once_and_found_again()
    {
        NodeId node = Create();
        using FileIdentity again = _keys.Load().Value;
        Assert.Equal(node, again.Node);
        Assert.Equal(KeyState.Open, _keys.State().Value);
        Assert.Equal(KeyErrorKind.Exists, _keys.Create().Error.Kind);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, System.IO.File.GetUnixFileMode(File));
    }

    [Fact]
    public void A_sealed_key_opens_with_its_passphrase_only()
    {
        NodeId node = Create();
        Assert.True(_keys.Lock("correct horse").IsOk);
        Assert.Equal(KeyState.Sealed, _keys.State().Value);
        Assert.Equal(KeyErrorKind.Sealed, _keys.Load().Error.Kind);
        Assert.Equal(KeyErrorKind.WrongPassphrase, _keys.Load("battery staple").Error.Kind);
        Assert.Equal(KeyErrorKind.Sealed, _keys.Lock("again").Error.Kind);
        using FileIdentity loaded = _keys.Load("correct horse").Value;
        Assert.Equal(node, loaded.Node);
    }

    [Fact]
    public void Unlocking_writes_the_key_back_open()
    {
        NodeId node = Create();
        Assert.Equal(KeyErrorKind.NotSealed, _keys.Unlock("x").Error.Kind);
        Assert.True(_keys.Lock("x").IsOk);
        Assert.Equal(KeyErrorKind.WrongPassphrase, _keys.Unlock("y").Error.Kind);
        Assert.True(_keys.Unlock("x").IsOk);
        using FileIdentity loaded = _keys.Load().Value;
        Assert.Equal(node, loaded.Node);
    }

    [Fact]
    public void Locking_leaves_no_open_key_behind()
    {
        Create();
        byte[] open = System.IO.File.ReadAllBytes(File);
        string link = _folder["the-old-file"];
        System.Diagnostics.Process.Start("ln", [File, link]).WaitForExit();
        Assert.True(_keys.Lock("x").IsOk);
        Assert.All(System.IO.File.ReadAllBytes(link), value => Assert.Equal(0, value));
        Assert.NotEqual(open, System.IO.File.ReadAllBytes(File));
        Assert.Equal([File], Directory.GetFiles(_folder["keys"]));
    }

    [Fact]
    public void An_open_key_that_a_crash_left_beside_a_sealed_one_goes_at_the_next_look()
    {
        Create();
        byte[] open = System.IO.File.ReadAllBytes(File);
        Assert.True(_keys.Lock("x").IsOk);
        System.IO.File.WriteAllBytes(File + ".new", open);
        Assert.Equal(KeyErrorKind.Sealed, _keys.Load().Error.Kind);
        Assert.Equal([File], Directory.GetFiles(_folder["keys"]));
    }

    [Fact]
    public void A_daemon_that_starts_while_the_key_is_sealed_does_not_wipe_it()
    {
        NodeId node = Create();
        RealDisk disk = RealDisk.OpenRoot(_folder["keys"]).Value;
        HookedDisk starting = new(disk)
        {
            // It found the new file, takes it for what a crash left, and the command renames it at this moment.
            Opened = path =>
            {
                if (path.EndsWith(".new", StringComparison.Ordinal))
                {
                    System.IO.File.Move(File + ".new", File, overwrite: true);
                }
            },
        };
        Result<FileIdentity, KeyError> met = default;
        HookedDisk sealing = new(disk)
        {
            Renaming = () => met = new KeyStore(starting, new SystemEntropy()) { Patience = TimeSpan.Zero }.Load("x"),
        };
        Assert.True(new KeyStore(sealing, new SystemEntropy()) { SealIterations = 10 }.Lock("x").IsOk);
        Assert.Equal(KeyErrorKind.Disk, met.Error.Kind);
        using FileIdentity loaded = _keys.Load("x").Value;
        Assert.Equal(node, loaded.Node);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(7)]
    [InlineData(60)]
    [InlineData(-1)]
    public void A_damaged_file_is_a_typed_error_and_is_not_replaced(int offset)
    {
        Create();
        byte[] bytes = System.IO.File.ReadAllBytes(File);
        bytes[offset < 0 ? bytes.Length + offset : offset] ^= 0x40;
        System.IO.File.WriteAllBytes(File, bytes);
        Assert.Equal(KeyErrorKind.Damaged, _keys.Load().Error.Kind);
        Assert.Equal(KeyErrorKind.Damaged, _keys.Create().Error.Kind);
        Assert.Equal(KeyErrorKind.Damaged, _keys.Lock("x").Error.Kind);
        Assert.Equal(bytes, System.IO.File.ReadAllBytes(File));
    }

    [Fact]
    public void Any_truncation_is_a_typed_error()
    {
        Create();
        byte[] bytes = System.IO.File.ReadAllBytes(File);
        for (int length = 0; length < bytes.Length; length++)
        {
            System.IO.File.WriteAllBytes(File, bytes[..length]);
            Assert.Equal(KeyErrorKind.Damaged, _keys.Load().Error.Kind);
        }
    }

    [Fact]
    public void A_newer_format_is_not_taken_for_damage()
    {
        Create();
        byte[] bytes = System.IO.File.ReadAllBytes(File);
        bytes[4] = 2;
        System.IO.File.WriteAllBytes(File, bytes);
        Assert.Equal(KeyErrorKind.NewerFormat, _keys.Load().Error.Kind);
    }

    [Fact]
    public void Version_1_reads_for_ever()
    {
        // A payload of three bytes, open.
        byte[] golden = Convert.FromHexString("43524e4b010003000000010203" + "9b34adab834d00dd");
        Assert.Equal(golden, KeyFile.Encode(KeyState.Open, [1, 2, 3]));
        Assert.Equal([1, 2, 3], KeyFile.Decode(golden).Value.Payload);
    }

    private NodeId Create()
    {
        using FileIdentity made = _keys.Create().Value;
        return made.Node;
    }
}
