using System.Text;
using Cairn.Core.Log;
using Cairn.Core.Manifests;
using Cairn.Core.Primitives;
using Cairn.Core.Rules;
using Cairn.Node.Garbage;
using Cairn.Node.Tests.Logs;
using Cairn.Simulation.Time;

namespace Cairn.Node.Tests.Garbage;

/// <summary>A removed folder says what of its removed files is kept, for as long as there are any.</summary>
public sealed class RemovedFoldersTests
{
    private const int Folders = 6;
    private const int FilesEach = 30;

    private readonly SimulatedScheduler _scheduler = new();
    private readonly LogMembers _members = new();
    private readonly List<GarbageNode> _nodes = [];

    /// <summary>The volume keeps all. One condemnation takes a few files, so it needs many; none may lose its rule between two.</summary>
    [Theory]
    [InlineData(4)]
    [InlineData(7)]
    [InlineData(64)]
    public void OfAFolderThatKeepsNothing_AllGoes_WithItsFoldersRemoved(int itemsMax)
    {
        GarbageNode a = Node(itemsMax);
        GarbageNode b = Node(itemsMax);
        ObjectId scratch = a.MakeFolder("scratch");
        a.Write(new SetRule(scratch, RuleCodec.Encode(new Rule { Keep = Retention.None })));
        List<ChunkRef> chunks = Fill(a, scratch, 0, [a, b]);
        ObjectId inner = a.MakeFolder("inner", scratch);
        chunks.AddRange(Fill(a, inner, 1000, [a, b]));
        GarbageNode.Exchange(_nodes);

        Empty(a, inner);
        a.RemoveFolder("inner", scratch);
        Empty(a, scratch);
        a.RemoveFolder("scratch");
        Collect();
        Assert.DoesNotContain(chunks, chunk => a.Has(chunk) || b.Has(chunk));
        Assert.Empty(a.Queries.DetachedObjects());
        Assert.Equal(a.Node.TableText(), b.Node.TableText());
    }

    /// <summary>What a rule of its own keeps stays with its folders; what the folder lets go does not.</summary>
    [Fact]
    public void WhatStays_KeepsTheFoldersItWasIn()
    {
        GarbageNode node = Node(4);
        ObjectId scratch = node.MakeFolder("scratch");
        node.Write(new SetRule(scratch, RuleCodec.Encode(new Rule { Keep = Retention.None })));
        ObjectId inner = node.MakeFolder("inner", scratch);
        ChunkRef[] chunks = [.. Enumerable.Range(0, 2).Select(i => GarbageNode.Chunk(i, node))];
        node.CreateIn(inner, "goes", chunks[0]);
        node.CreateIn(inner, "stays", chunks[1]);
        ObjectId stays = node.Queries.Lookup(inner, "stays"u8.ToArray())!.Value.Object;
        node.Write(new SetRule(stays, RuleCodec.Encode(new Rule { Keep = Retention.Forever })));
        node.UnlinkIn(inner, "goes");
        node.UnlinkIn(inner, "stays");
        node.RemoveFolder("inner", scratch);
        node.RemoveFolder("scratch");
        Collect();
        Assert.Equal([false, true], chunks.Select(node.Has));
        Assert.Equal(
            new[] { inner, scratch, stays }.Order(), node.Queries.DetachedObjects().Select(gone => gone.Object));
    }

    /// <summary>So many that they are removed in turns, and said to be gone together.</summary>
    [Fact]
    public void ManyChunks_GoInTurns()
    {
        GarbageNode node = Node(itemsMax: 4096);
        ChunkRef[] chunks = [.. Enumerable.Range(0, 700).Select(i => GarbageNode.Chunk(i, node))];
        ObjectId folder = node.MakeFolder("scratch");
        node.Write(new SetRule(folder, RuleCodec.Encode(new Rule { Keep = Retention.None })));
        node.CreateIn(folder, "large", chunks);
        node.UnlinkIn(folder, "large");
        Collect();
        Assert.DoesNotContain(chunks, node.Has);
        Assert.Empty(node.Queries.Condemned());
    }

    private static List<ChunkRef> Fill(GarbageNode node, ObjectId into, int firstSeed, GarbageNode[] holders)
    {
        List<ChunkRef> chunks = [];
        for (int i = 0; i < Folders; i++)
        {
            ObjectId folder = node.MakeFolder($"folder {i}", into);
            for (int file = 0; file < FilesEach; file++)
            {
                ChunkRef chunk = GarbageNode.Chunk(firstSeed + chunks.Count, holders);
                node.CreateIn(folder, $"file {file}", chunk);
                chunks.Add(chunk);
            }
        }

        return chunks;
    }

    private static void Empty(GarbageNode node, ObjectId parent)
    {
        for (int i = 0; i < Folders; i++)
        {
            ObjectId folder = node.Queries.Lookup(parent, Encoding.UTF8.GetBytes($"folder {i}"))!.Value.Object;
            for (int file = 0; file < FilesEach; file++)
            {
                node.UnlinkIn(folder, $"file {file}");
            }

            node.RemoveFolder($"folder {i}", parent);
        }
    }

    private void Collect()
    {
        do
        {
            GarbageNode.Exchange(_nodes);
        }
        while (_nodes.Select(node => node.Round()).ToList().Contains(true));
    }

    private GarbageNode Node(int itemsMax) =>
        new(_scheduler, _nodes.Count + 1, _members, _nodes, options: new GarbageOptions
        {
            Keep = Retention.Forever,
            ItemsMax = itemsMax,
        });
}
