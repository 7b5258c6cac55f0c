namespace Cairn.Node.Control;

/// <summary>What would be lost if this node were lost now.</summary>
/// <param name="Files">Files whose newest writes no other node has; those written last are counted first.</param>
/// <param name="Chunks">Chunks that no other node confirmed.</param>
/// <param name="Bytes">Their stored bytes, and what is written and in no chunk.</param>
/// <param name="LogBlocks">Log blocks (names, folders, small files) that no other node said it holds.</param>
/// <param name="Paths">Some of the files, as "VOLUME/path".</param>
/// <param name="Sentence">For people; empty when nothing would be lost.</param>
public sealed record OnlyHereStatus(
    long Files, long Chunks, long Bytes, long LogBlocks, IReadOnlyList<string> Paths, string Sentence);
