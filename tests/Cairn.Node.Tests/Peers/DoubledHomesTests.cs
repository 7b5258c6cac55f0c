using System.Net;
using Cairn.Core.Membership;
using Cairn.Core.Protocol;
using Cairn.Node.Control;
using Cairn.Node.Ports;

namespace Cairn.Node.Tests.Peers;

/// <summary>A home that was copied and runs twice is named to the owner, on the machine itself and on the others.</summary>
public sealed class DoubledHomesTests
{
    private readonly PoolBench _bench = PoolBench.Of(2, 911);

    private BenchNode Here => _bench.Nodes[0];

    private BenchNode Copied => _bench.Nodes[1];

    /// <summary>Connections that crossed when both began to connect are older then: those are told apart from two homes.</summary>
    public DoubledHomesTests() => _bench.Scheduler.RunFor(TimeSpan.FromSeconds(15));

    [Fact]
    public void Two_that_take_the_connection_from_each_other_all_the_time_are_a_copied_home()
    {
        for (int time = 0; time < 30; time++)
        {
            ConnectAsTheOther();
            _bench.Scheduler.RunFor(TimeSpan.FromSeconds(1));
            _bench.Until(() => Copied.Connected == 1, "the first takes it back");
        }

        NodeProblem there = Assert.Single(Problems(Here));
        Assert.Contains(Copied.Options.Name, there.Message, StringComparison.Ordinal);
        Assert.Contains("This machine", Assert.Single(Problems(Copied)).Message, StringComparison.Ordinal);
        _bench.Scheduler.RunFor(TimeSpan.FromMinutes(11));
        Assert.Empty(Problems(Here).Concat(Problems(Copied)));
    }

    [Fact]
    public void A_machine_that_starts_again_now_and_then_is_not()
    {
        for (int time = 0; time < 30; time++)
        {
            ConnectAsTheOther();
            _bench.Until(() => Copied.Connected == 1, "the first takes it back");
            _bench.Scheduler.RunFor(TimeSpan.FromSeconds(10));
        }

        Assert.Empty(Problems(Here).Concat(Problems(Copied)));
    }

    /// <summary>The others keep to what the copy said last of where it is, until the one that is left says something newer.</summary>
    [Fact]
    public void The_one_that_is_left_is_found_again_where_it_is()
    {
        IPEndPoint gone = new(IPAddress.Loopback, 9);
        for (int time = 0; time < 3; time++)
        {
            ConnectAsTheOther(gone, counter: 1000 * (ulong)(time + 1));
            _bench.Until(() => Copied.Connected == 1, "the first takes it back");
            _bench.Scheduler.RunFor(TimeSpan.FromSeconds(10));
        }

        _bench.Scheduler.RunFor(TimeSpan.FromMinutes(3));
        NodeSummary seen = Here.Info().Single(node => node.Node == Copied.Id);
        Assert.Equal([$"{Copied.Address}"], seen.Addresses);
        Assert.Equal("alive", seen.Liveness);
    }

    private static IEnumerable<NodeProblem> Problems(BenchNode node) =>
        node.Status().Problems.Where(problem => problem.Code == "home-copied");

    /// <summary>What a second daemon with the same key does: it says hello as the first did.</summary>
    private void ConnectAsTheOther(IPEndPoint? address = null, ulong counter = 100) => _bench.Do(Copied, async () =>
    {
        NodeRecord record = RawPeer.RecordOf(Copied.Ports.Identity, Copied.Options.Name, Copied).Record with
        {
            Counter = counter,
            Addresses = [NodeAddress.From(address ?? Copied.Address)],
        };
        IConnection connection =
            (await Copied.Ports.Transport.Connect(Here.Address, Here.Id, CancellationToken.None)).Value;
        await RawPeer.Send(connection, new Hello(
            ProtocolVersion.Min, ProtocolVersion.Max, HelloPurpose.Member, Here.Status().Pool,
            RawPeer.Sign(Copied.Ports.Identity, record).Bytes));
        Assert.IsType<Hello>(await RawPeer.Receive(connection));
        return connection;
    });
}
