using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Core.Tests.Tree;

/// <summary>
/// Transactions that no honest member makes: they decode, so they are folded, without harm and the same everywhere.
/// </summary>
public sealed class HostileTests
{
    private const int Seeds = 600;

    [Fact]
    public void Nonsense_is_folded_the_same_everywhere_and_breaks_nothing()
    {
        for (ulong seed = 1; seed <= Seeds; seed++)
        {
            try
            {
                Run(seed);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"seed {seed}: {e.Message}", e);
            }
        }
    }

    private static void Run(ulong seed)
    {
        var random = new Prng(seed);
        Replica[] replicas = [.. Enumerable.Range(1, 3).Select(n => new Replica((byte)n, seed))];
        for (int step = 0; step < 60; step++)
        {
            Replica replica = replicas[random.Next(3)];
            if (random.Chance(3))
            {
                replica.Receive(replicas[random.Next(3)]);
            }

            var primitives = new Primitive[1 + random.Next(4)];
            for (int i = 0; i < primitives.Length; i++)
            {
                primitives[i] = Nonsense(random);
            }

            replica.Do(primitives.ToImmutable());
            if (random.Chance(8))
            {
                TreeAudit.Check(replica.Fold.Table);
            }
        }

        Replica.Sync(replicas);
        TreeAudit.Check(replicas[0].Fold.Table);
    }

    private static Primitive Nonsense(Prng random)
    {
        ObjectId One() => new(Id(random.Next(8)));
        VersionId Version() => new(Id(1 + random.Next(5)));
        ImmutableArray<VersionId> Versions() => [.. Enumerable.Range(0, random.Next(3)).Select(_ => Version())];
        byte[] Name() => [(byte)('a' + random.Next(3))];
        Predecessor? Replaced() => random.Chance(2) ? null : new Predecessor(One(), Versions());
        switch (random.Next(12))
        {
            case 0 or 1 or 2:
                return new CreateObject(
                    One(), random.Chance(2) ? TreeKind.Directory : TreeKind.File, 0, 0, 0, 0, default, default);
            case 3 or 4 or 5:
                return new Place(One(), Name(), One(), Replaced());
            case 6:
                return new Unplace(One(), Name(), One(), Versions());
            case 7:
                return new Move(One(), One(), Name(), One(), Name(), Replaced());
            case 8:
                return new Exchange(One(), One(), Name(), One(), One(), Name());
            case 9:
                int size = random.Next(3);
                return new WriteVersion(One(), Version(), Versions(), size, size, default, new byte[size]);
            case 10:
                return random.Chance(2)
                    ? new DiscardHeads(One(), Versions())
                    : new SetAttributes(One(), Version(), 0, null, null, new WallTime(1));
            default:
                return random.Chance(2)
                    ? new SetExtendedAttribute(One(), Name(), random.Chance(2) ? null : new byte[1])
                    : new Condemn(
                        LogPositions.Empty, [One(), One()], [new VersionRef(One(), Version())],
                        [new ChunkAddress(new byte[32])], []);
        }
    }

    private static Bytes16 Id(int n)
    {
        byte[] bytes = new byte[Bytes16.Size];
        bytes[0] = (byte)n;
        return new Bytes16(bytes);
    }
}
