using Cairn.Core.Repair;

namespace Cairn.Core.Tests.Repair;

public sealed class SafetyVerdictTests
{
    private static readonly SafetyCounts Fine = new() { CopiesWanted = 4, CopiesPossible = 4, Chunks = 1000 };

    public static TheoryData<SafetyCounts, VerdictLevel, string> Cases => new()
    {
        { Fine, VerdictLevel.Safe, "Everything has 4 copies. Nothing to do." },
        {
            Fine with { ChunksOwedElsewhere = 12, OwingNodes = ["desk"] },
            VerdictLevel.Working,
            "12 chunks written on desk not yet on enough nodes. Copying."
        },
        {
            Fine with { CopiesWanted = 1, CopiesPossible = 1 }, VerdictLevel.Safe,
            "Everything has 1 copy. Nothing to do."
        },
        { Fine with { Chunks = 0 }, VerdictLevel.Safe, "Nothing is stored yet." },
        {
            Fine with { CopiesPossible = 1 }, VerdictLevel.Attention,
            "Everything has 1 of 1 copies, the rule wants 4. Add 3 nodes."
        },
        {
            Fine with { ChunksOwed = 34, BytesOwed = 1_288_490_189 }, VerdictLevel.Working,
            "1.2 GiB in 34 chunks not yet on enough nodes. Copying."
        },
        {
            Fine with { ChunksOwed = 1, BytesOwed = 2048, AbsentNodes = ["attic"] }, VerdictLevel.Working,
            "2 KiB in 1 chunk not yet on enough nodes. Copying; attic cannot be reached."
        },
        {
            Fine with { FilesUnpublished = 2, ChunksToRepair = 1 }, VerdictLevel.Working,
            "Writes to 2 files are being published. Nothing to do."
        },
        {
            Fine with { BlocksOnlyHere = 1, ChunksToRepair = 1, AbsentNodes = ["attic"] }, VerdictLevel.Working,
            "What was written last is on this machine alone: attic cannot be reached."
        },
        { Fine with { ChunksToRepair = 1 }, VerdictLevel.Working, "1 copy being remade. Nothing to do." },
        {
            Fine with { AbsentNodes = ["attic", "cellar"] }, VerdictLevel.Working,
            "Everything has 4 copies, some of them on attic and cellar, which cannot be reached. "
                + "If that lasts, the copies are remade elsewhere. Nothing to do."
        },
        {
            Fine with { IsPoolFull = true, ChunksOwed = 3, BytesOwed = 5 << 20 }, VerdictLevel.Attention,
            "The pool is full: 5 MiB cannot be copied. Give more space or delete something."
        },
        {
            Fine with { IsBraked = true, AbsentNodes = ["a", "b", "c", "d", "e"] }, VerdictLevel.Attention,
            "Many nodes vanished together: a, b, c and 2 others. Only last copies are being remade. "
                + "If they will not come back, forget them: `cairn node forget NODE`."
        },
        {
            Fine with { CopiesPossible = 0 }, VerdictLevel.Attention,
            "No node gives space. Give some: `cairn space set 50GiB`."
        },
        {
            Fine with { ChunksUnreachable = 12345, AbsentNodes = ["attic"] }, VerdictLevel.Danger,
            "12,345 chunks cannot be read now. Bring back attic."
        },
        {
            Fine with { ChunksUnreachable = 1 }, VerdictLevel.Danger,
            "1 chunk cannot be read now. `cairn status` says where."
        },
        {
            Fine with { ChunksLost = 2, ChunksUnreachable = 1 }, VerdictLevel.Danger,
            "2 chunks lost: no good copy is left. `cairn status` lists the files."
        },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void The_worst_is_said_plainly(SafetyCounts counts, VerdictLevel level, string text) =>
        Assert.Equal(new SafetyVerdict(level, text), SafetyVerdict.Of(counts));

    [Theory]
    [InlineData(4, 4, 4, "4 of 4 copies")]
    [InlineData(1, 4, 4, "1 of 4 copies")]
    [InlineData(1, 1, 4, "1 of 1 copies, the rule wants 4")]
    public void A_file_says_how_safe_it_is(int confirmed, int possible, int wanted, string text) =>
        Assert.Equal(text, SafetyVerdict.OfFile(confirmed, possible, wanted));
}
