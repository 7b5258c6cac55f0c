using System.Text.Json;
using Cairn.Cli.Demo;
using Cairn.Cli.Output;

namespace Cairn.EndToEnd.Tests;

/// <summary>
/// Machines leave, break, come back, are stolen or only read; the owner loses the last admin's machine and has only the kit.
/// </summary>
public sealed class MembershipTests : IAsyncLifetime
{
    private readonly DemoPool _pool = DemoPool.Lay(folder: null, nodeCount: 3, keep: false);
    private readonly Newcomers _newcomers = new();

    private DemoNode Founder => _pool.Nodes[0];

    private DemoNode Second => _pool.Nodes[1];

    private DemoNode Third => _pool.Nodes[2];

    public async ValueTask InitializeAsync()
    {
        await _pool.Start("256MiB", TestContext.Current.CancellationToken);
        await Founder.Must("volume", "create", "v");
        await Put("first");
    }

    public async ValueTask DisposeAsync()
    {
        await _newcomers.DisposeAsync();
        await _pool.DisposeAsync();
    }

    [Fact]
    public async Task A_machine_leaves_and_another_breaks_is_forgotten_and_comes_back()
    {
        await Third.Must("leave", "--quiet");
        await Eventually.Holds(() => Role(Founder, Third) == "forgotten", "the one that left is no holder any more");
        await Third.Stop();
        await Founder.Must("wait", "--safe", "--timeout", "60", "--quiet");
        Assert.True(Shows(Second, "first"), "what the leaver held is with the others");

        // A machine that is here cannot be declared lost.
        await Founder.MustRefuse(ExitCode.Failed, "leave", "node", "forget", Second.Name);
        Second.KillProcess();
        await Eventually.Holds(() => !IsConnected(Founder, Second), "its end is noticed");
        await Founder.Must("node", "forget", Second.Name);
        Assert.Equal("forgotten", Role(Founder, Second));
        await Put("second");

        await Second.Start(TestContext.Current.CancellationToken);
        await Eventually.Holds(() => Role(Founder, Second) == "member", "who comes back belongs again");
        await Eventually.Holds(() => Shows(Second, "second"), "it has what it missed");
        await Founder.Must("wait", "--safe", "--timeout", "60", "--quiet");

        // Who left by its own will stays out, whenever its daemon is started again.
        await Third.Start(TestContext.Current.CancellationToken);
        await Put("third");
        await Eventually.Holds(() => Shows(Second, "third"), "the others go on");
        Assert.Contains("left the pool", await Third.Must("status"), StringComparison.Ordinal);
        Assert.False(IsConnected(Founder, Third) || Shows(Third, "third"), "it is let in no more");
        Assert.Equal("forgotten", Role(Founder, Third));
    }

    [Fact]
    public async Task A_stolen_machine_is_revoked_and_an_owner_with_nothing_but_the_kit_comes_back()
    {
        await Founder.Must("node", "revoke", Third.Name);
        await Eventually.Holds(() => Role(Second, Third) == "revoked", "everybody knows");
        await Eventually.Holds(
            () => !IsConnected(Founder, Third) && !IsConnected(Second, Third), "it is cut off");
        await Put("second");
        DemoNode fourth = Newcomer(4);
        string code = (await Founder.Must("invite", "--quiet")).Trim();
        await fourth.Must("join", code, "--space", "256MiB", "--name", fourth.Name, "--listen", "127.0.0.1:0");
        await fourth.Start(TestContext.Current.CancellationToken);
        await Eventually.Holds(
            () => Shows(fourth, "first") && Shows(fourth, "second"), "a newcomer gets the old keys and the new ones");
        Assert.True(Shows(Second, "second") && !Shows(Third, "second"), "the revoked one hears nothing more");
        await fourth.MustRefuse(ExitCode.Failed, "admin", "invite");
        await Founder.Must("wait", "--safe", "--timeout", "60", "--quiet");

        // The only admin's machine is gone with its home.
        Founder.KillProcess();
        Directory.Delete(Founder.Home, recursive: true);
        DemoNode owner = Newcomer(5);
        await owner.Must(
            "recover", Path.Combine(_pool.Root, "recovery-kit.txt"),
            "--at", AddressOf(Second).Replace("127.0.0.1", "localhost", StringComparison.Ordinal),
            "--space", "256MiB", "--name", owner.Name, "--listen", "127.0.0.1:0");
        await owner.Start(TestContext.Current.CancellationToken);
        await Eventually.Holds(() => Shows(owner, "first") && Shows(owner, "second"), "the owner sees everything");
        await owner.Must("invite", "--quiet");
        await owner.Must("node", "revoke", Founder.Name);
        await Eventually.Holds(() => Role(Second, Founder) == "revoked", "the owner's word counts");
    }

    [Fact]
    public async Task A_guest_only_reads_and_a_machine_that_wrote_apart_is_refused_until_an_admin_lets_it_stand()
    {
        DemoNode guest = Newcomer(4);
        string code = (await Founder.Must("invite", "--read-only", "--quiet")).Trim();
        await guest.Must("join", code, "--space", "256MiB", "--name", guest.Name, "--listen", "127.0.0.1:0");
        await guest.Start(TestContext.Current.CancellationToken);
        await Eventually.Holds(() => Shows(guest, "first"), "the guest reads");
        string file = Path.Combine(_pool.Root, "file");
        await guest.MustRefuse(ExitCode.Failed, "read-only", "put", file, "v/by-guest");
        await guest.MustRefuse(ExitCode.Failed, "read-only", "rm", "v/first");
        Assert.Contains("read-only", await guest.Must("status"), StringComparison.Ordinal);
        await guest.Stop();

        // Written where the admin cannot see it, and limited by the admin before it does.
        await Founder.Stop();
        await Third.Stop();
        await Put("apart", Second);
        await Second.Stop();
        await Founder.Start(TestContext.Current.CancellationToken);
        await Third.Start(TestContext.Current.CancellationToken);
        await Founder.Must("node", "read-only", Second.Name);
        await Second.Start(TestContext.Current.CancellationToken);
        await Eventually.Holds(() => Refused(Founder, Second) > 0 && Refused(Third, Second) > 0, "it is refused");
        await Eventually.Holds(() => !Shows(Second, "apart"), "it knows that it is");
        Assert.False(Shows(Founder, "apart") || Shows(Third, "apart"));
        Assert.Contains("--accept-refused", await Second.Must("status"), StringComparison.Ordinal);
        await Second.MustRefuse(ExitCode.Failed, "read-only", "put", file, "v/more");

        await Founder.Must("node", "read-write", Second.Name, "--accept-refused");
        await Eventually.Holds(
            () => new[] { Founder, Second, Third }.All(node => Shows(node, "apart")), "an admin lets it stand");
        await Put("more", Second);
        await Eventually.Holds(() => Shows(Third, "more"), "it writes again");

        await Founder.Must("volume", "writers", "v", Founder.Name, Third.Name);
        await Eventually.Holds(() => IsReadOnly(Second), "a volume that only some may change");
        await Second.MustRefuse(ExitCode.Failed, "read-only", "put", file, "v/most");
        await Put("most", Third);
        await Founder.Must("volume", "writers", "v", "--everyone");
        await Eventually.Holds(() => !IsReadOnly(Second) && Shows(Second, "most"), "everybody may change it again");
    }

    [Fact]
    public async Task A_folder_that_only_some_change_and_what_another_made_apart_beside_it_comes_back()
    {
        await Founder.MustRefuse(ExitCode.Failed, "no folder", "volume", "writers", "v/first", Founder.Name);
        await Founder.Must("mkdir", "v/pay");
        await Put("pay/one");
        await Eventually.Holds(() => Shows(Second, "pay/one") && Shows(Third, "pay/one"), "the folder is everywhere");
        await Founder.Stop();
        await Third.Stop();
        await Put("beside", Second);
        await Second.Stop();
        await Founder.Start(TestContext.Current.CancellationToken);
        await Founder.Must("volume", "writers", "v/pay", Founder.Name, Third.Name);
        await Third.Start(TestContext.Current.CancellationToken);
        await Second.Start(TestContext.Current.CancellationToken);
        await Eventually.Holds(
            () => new[] { Founder, Second, Third }.All(node => Shows(node, "beside")), "what was made apart is back");

        string file = Path.Combine(_pool.Root, "file");
        await Second.MustRefuse(ExitCode.Failed, "not permitted", "put", file, "v/pay/two");
        await Second.MustRefuse(ExitCode.Failed, "not permitted", "mv", "v/pay/one", "v/mine");
        await Put("pay/three", Third);
        await Put("free", Second);
        await Eventually.Holds(() => Shows(Second, "pay/three") && Shows(Founder, "free"), "the others go on");
        string listed = await Second.Must("volume", "writers", "v");
        Assert.Contains("v/pay", listed, StringComparison.Ordinal);
        string said = await Founder.Must("volume", "writers", "v", Founder.Name, Second.Name);
        Assert.Contains($"Shut out of v/pay: {Third.Name}.", said, StringComparison.Ordinal);
        listed = await Founder.Must("volume", "writers", "v");
        Assert.Contains($"{Founder.Name} (shut out: {Third.Name})", listed, StringComparison.Ordinal);
        said = await Founder.Must("volume", "writers", "v", "--everyone");
        Assert.DoesNotContain("Shut out", said, StringComparison.Ordinal);
        Assert.DoesNotContain("changes-refused", await Second.Must("status", "--json"), StringComparison.Ordinal);

        await Founder.Must("volume", "writers", "v/pay", "--inherit");
        await Eventually.Holds(
            () => !System.Text.Encoding.UTF8.GetString(Second.Ask("/v1/volumes/writers?volume=v"))
                .Contains("v/pay", StringComparison.Ordinal),
            "everybody may change it again");
        await Put("pay/two", Second);
        await Eventually.Holds(() => Shows(Third, "pay/two"), "and does");
    }

    private DemoNode Newcomer(int number) => _newcomers.Add(_pool, number);

    private async Task Put(string name, DemoNode? by = null)
    {
        string file = Path.Combine(_pool.Root, "file");
        await File.WriteAllTextAsync(file, "the " + name, TestContext.Current.CancellationToken);
        await (by ?? Founder).Must("put", file, "v/" + name);
    }

    private static bool Shows(DemoNode node, string name) =>
        node.Read("v", name) is { } bytes && System.Text.Encoding.UTF8.GetString(bytes) == "the " + name;

    private static string? Role(DemoNode asked, DemoNode node) => Summary(asked, node).GetProperty("role").GetString();

    private static long Refused(DemoNode asked, DemoNode node) =>
        Summary(asked, node).GetProperty("refusedChanges").GetInt64();

    private static bool IsReadOnly(DemoNode node)
    {
        using JsonDocument volumes = JsonDocument.Parse(node.Ask("/v1/volumes"));
        return volumes.RootElement[0].GetProperty("isReadOnly").GetBoolean();
    }

    private static bool IsConnected(DemoNode asked, DemoNode node) =>
        Summary(asked, node).GetProperty("isConnected").GetBoolean();

    private static string AddressOf(DemoNode node) =>
        Summary(node, node).GetProperty("addresses")[0].GetString()!;

    private static JsonElement Summary(DemoNode asked, DemoNode node)
    {
        using JsonDocument nodes = JsonDocument.Parse(asked.Ask("/v1/nodes"));
        return nodes.RootElement.EnumerateArray()
            .Single(summary => summary.GetProperty("name").GetString() == node.Name).Clone();
    }
}
