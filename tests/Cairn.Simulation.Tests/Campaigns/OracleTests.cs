using Cairn.Simulation.Campaigns;

namespace Cairn.Simulation.Tests.Campaigns;

/// <summary>What the oracle takes for lost, and what it does not.</summary>
public sealed class OracleTests
{
    private readonly Oracle _oracle = new();

    [Fact]
    public void An_answered_write_that_is_nowhere_is_lost()
    {
        ulong write = Answered([0]);
        Assert.Equal([new WrittenCell(write, 0)], Lost());
        Assert.Empty(Lost(new WrittenCell(write, 0)));
    }

    [Fact]
    public void A_write_that_was_never_answered_may_be_lost()
    {
        _oracle.Begin(0, "f", 0, [0]);
        Assert.Empty(Lost());
    }

    [Fact]
    public void Power_loss_takes_what_was_not_synced_on_that_node()
    {
        ulong unsynced = Answered([0]);
        ulong synced = Answered([0]);
        ulong elsewhere = Answered([0], node: 1);
        _oracle.Synced(synced);
        _oracle.PowerLost(0);
        Assert.Equal([new WrittenCell(synced, 0), new WrittenCell(elsewhere, 0)], Lost());
        Assert.NotEqual(unsynced, synced);
    }

    [Fact]
    public void A_write_is_superseded_only_by_one_that_saw_it_and_is_there_itself()
    {
        ulong first = Answered([0]);
        ulong second = Answered([first]);
        ulong blind = Answered([0]);
        Assert.Empty(Lost(new WrittenCell(second, 0), new WrittenCell(blind, 0)));
        Assert.Equal([new WrittenCell(first, 0), new WrittenCell(second, 0)], Lost(new WrittenCell(blind, 0)));
    }

    [Fact]
    public void A_chain_of_writes_is_kept_by_its_end()
    {
        ulong write = Answered([0]);
        for (int i = 0; i < 10; i++)
        {
            write = Answered([write]);
        }

        Assert.Empty(Lost(new WrittenCell(write, 0)));
    }

    [Fact]
    public void Whoever_saw_a_cell_may_remove_it_unless_the_removal_failed()
    {
        WrittenCell cell = new(Answered([0]), 0);
        _oracle.Removing([cell]);
        Assert.Empty(Lost());
        _oracle.NotRemoved([cell]);
        Assert.Equal([cell], Lost());
    }

    [Fact]
    public void Cells_of_one_write_are_judged_one_by_one()
    {
        ulong write = Answered([0, 0, 0]);
        ulong over = Answered([write], first: 1);
        Assert.Equal([new WrittenCell(write, 2)], Lost(new WrittenCell(write, 0), new WrittenCell(over, 1)));
    }

    [Fact]
    public void A_cell_says_what_it_is()
    {
        byte[] cell = new byte[128];
        Assert.Equal(CellState.Hole, Cell.Read(cell, 4, out _));
        Cell.Fill(cell, 77, 4);
        Assert.Equal(CellState.Written, Cell.Read(cell, 4, out ulong write));
        Assert.Equal(77UL, write);
        Assert.Equal(CellState.Damaged, Cell.Read(cell, 5, out _));
        cell[100] ^= 1;
        Assert.Equal(CellState.Damaged, Cell.Read(cell, 4, out _));
    }

    private ulong Answered(ulong[] seen, int node = 0, int first = 0)
    {
        ulong write = _oracle.Begin(node, "f", first, seen);
        _oracle.Answered(write);
        return write;
    }

    private IReadOnlyList<WrittenCell> Lost(params WrittenCell[] found) => _oracle.Lost(found.ToHashSet());
}
