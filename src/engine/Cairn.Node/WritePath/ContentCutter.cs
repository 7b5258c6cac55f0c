using System.Buffers;
using Cairn.Coding.Bundles;
using Cairn.Coding.Chunking;
using Cairn.Core.Manifests;
using Cairn.Core.Primitives;
using Cairn.Node.Drafts;
using Cairn.Node.Logs;
using Cairn.Node.ReadPath;
using Cairn.Storage;

namespace Cairn.Node.WritePath;

/// <summary>Part of a cut file; its content is known once the bundle it went to is finished.</summary>
/// <param name="offset">Where in the file.</param>
/// <param name="content">Its content, unless it waits for a bundle.</param>
/// <param name="bundleOffset">Where in the bundle.</param>
/// <param name="length">Bytes in the bundle.</param>
internal sealed class CutSlice(long offset, Manifest? content, int bundleOffset, int length)
{
    /// <summary>Where in the file.</summary>
    public long Offset { get; } = offset;

    /// <summary>Its content; null while its bundle is in the making.</summary>
    public Manifest? Content { get; set; } = content;

    /// <summary>Where in the bundle.</summary>
    public int BundleOffset { get; } = bundleOffset;

    /// <summary>Bytes in the bundle.</summary>
    public int Length { get; } = length;
}

/// <summary>Cuts drafts into chunks and describes the resulting files by manifests. Thread: one worker at a time.</summary>
/// <remarks>
/// A run of written bytes is cut by content; short runs of any files share bundles. A file's patches can only be finished
/// once the bundles of its round are: <see cref="Cut"/> each draft, <see cref="FinishBundles"/>, then <see cref="Finish"/> each.
/// What continues a file is cut together with its last chunk. A round ends where the writer happens to be, and that cut must not
/// stay in the file: the same bytes, written at another pace, would become other chunks.
/// </remarks>
internal sealed class ContentCutter(
    GearTable gear, ContentReader reader, ChunkWriter chunks, JournalWriter journal, PublishOptions options)
    : IDisposable
{
    private readonly FastCdc _cdc = new(gear, ChunkerOptions.Default);
    private readonly BundleBuilder _bundle = new();
    private readonly List<CutSlice> _pending = [];
    private byte[] _window = [];

    /// <summary>Stores a draft's bytes.</summary>
    /// <param name="basis">The file without the draft.</param>
    /// <param name="draft">What was written over it.</param>
    /// <param name="isNear">Whether all of it is to lie in the manifest; so it does unless a part of it is not here.</param>
    public Result<List<CutSlice>, StoreError> Cut(Manifest basis, Draft draft, bool isNear)
    {
        if (isNear && Whole(basis, draft) is { } whole)
        {
            return new List<CutSlice> { new(0, Manifest.OfInline(whole), 0, 0) };
        }

        List<CutSlice> cuts = [];
        List<DirtyRun> runs = DraftContent.Runs(draft);
        long end = 0;
        foreach (DirtyRun run in runs)
        {
            long before = end;
            end = run.End;
            if (run.IsHole)
            {
                cuts.Add(new CutSlice(run.Start, Manifest.OfHole(run.Length), 0, 0));
                continue;
            }

            bool isWhole = run.Start == 0 && run.End == draft.SizeBytes;
            Result<Unit, StoreError> cut = run.Length switch
            {
                _ when isWhole && run.Length <= options.InlineBytesMax => CutInline(draft, run, cuts),
                _ when run.Length < options.BundleBelowBytes => CutIntoBundle(draft, run, cuts),
                _ => CutByContent(draft, run, TailBefore(run, basis, before), cuts),
            };
            if (!cut.IsOk)
            {
                return cut.Error;
            }
        }

        return cuts;
    }

    /// <summary>Stores the bundle in the making, so that every file of the round can be finished.</summary>
    public Result<Unit, StoreError> FinishBundles()
    {
        if (_bundle.Count == 0)
        {
            return Unit.Value;
        }

        ManifestBuilder stored = new();
        Result<Unit, StoreError> put = chunks.Put(_bundle.Finish().Span, stored);
        if (!put.IsOk)
        {
            return put;
        }

        Manifest bundle = stored.Build();

        foreach (CutSlice slice in _pending)
        {
            slice.Content = bundle.Slice(slice.BundleOffset, slice.Length);
        }

        _pending.Clear();
        _bundle.Clear();
        return Unit.Value;
    }

    /// <summary>The file's manifest after the draft, and its encoded root; a large one is stored in chunks.</summary>
    public Result<(Manifest Manifest, byte[] Root), StoreError> Finish(Manifest basis, Draft draft, List<CutSlice> cuts)
    {
        Manifest manifest = basis.Resize(draft.SizeBytes).Overlay(
            [.. cuts.Select(cut => new ManifestPatch(cut.Offset, cut.Content!))]);
        Invariant.That(manifest.SizeBytes == draft.SizeBytes, $"{manifest} for a draft of {draft.SizeBytes} bytes");
        byte[] inline = ManifestRootCodec.Encode(new ManifestRoot.Inline(manifest));
        if (inline.Length <= options.ManifestInlineBytesMax)
        {
            return (manifest, inline);
        }

        byte[] encoded = ManifestCodec.Encode(manifest);
        FastCdc cutter = new(gear, ChunkerOptions.ForManifest(encoded.Length));
        ManifestBuilder body = new();
        for (int at = 0; at < encoded.Length;)
        {
            int length = cutter.NextCut(encoded.AsSpan(at), isLast: true);
            if (!chunks.Put(encoded.AsSpan(at, length), body).TryGet(out _, out StoreError error))
            {
                return error;
            }

            at += length;
        }

        ManifestRoot.Chunked large = new(manifest.SizeBytes, manifest.DataBytes, body.Build());
        return (manifest, ManifestRootCodec.Encode(large));
    }

    /// <summary>Throws away what a failed round left in the making.</summary>
    public void Reset()
    {
        _pending.Clear();
        _bundle.Clear();
    }

    /// <summary>Gives the window back while nothing is published: it is large.</summary>
    public void Rest()
    {
        if (_window.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_window);
            _window = [];
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Rest();
        _bundle.Dispose();
    }

    /// <summary>The bytes of a small file after the draft; null if a part of it cannot be read here now.</summary>
    private byte[]? Whole(Manifest basis, Draft draft)
    {
        byte[] whole = new byte[draft.SizeBytes];
        int at = 0;
        foreach (ManifestItem item in basis.Resize(whole.Length).Items)
        {
            Span<byte> part = whole.AsSpan(at, (int)item.LengthBytes);
            at += part.Length;
            if (item is ManifestItem.Inline inline)
            {
                inline.Bytes.Span.CopyTo(part);
            }
            else if (item is ManifestItem.Ref chunk && !reader.TryReadHere(chunk, part))
            {
                return null;
            }
        }

        foreach (DirtyRun run in DraftContent.Runs(draft))
        {
            Span<byte> part = whole.AsSpan((int)run.Start, (int)run.Length);
            if (run.IsHole)
            {
                part.Clear();
            }
            else if (!DraftContent.Read(journal, draft, run.Start, part).IsOk)
            {
                return null;
            }
        }

        return whole;
    }

    private Result<Unit, StoreError> CutInline(Draft draft, DirtyRun run, List<CutSlice> cuts)
    {
        byte[] bytes = new byte[run.Length];
        Result<Unit, StoreError> read = DraftContent.Read(journal, draft, run.Start, bytes);
        if (read.IsOk)
        {
            cuts.Add(new CutSlice(run.Start, Manifest.OfInline(bytes), 0, 0));
        }

        return read;
    }

    private Result<Unit, StoreError> CutIntoBundle(Draft draft, DirtyRun run, List<CutSlice> cuts)
    {
        Span<byte> bytes = Window((int)run.Length);
        Result<Unit, StoreError> read = DraftContent.Read(journal, draft, run.Start, bytes);
        if (!read.IsOk)
        {
            return read;
        }

        if (!_bundle.TryAdd(bytes, out int offset))
        {
            Result<Unit, StoreError> finished = FinishBundles();
            if (!finished.IsOk)
            {
                return finished;
            }

            bool fits = _bundle.TryAdd(bytes, out offset);
            Invariant.That(fits, $"{bytes.Length} bytes do not fit into an empty bundle");
        }

        CutSlice slice = new(run.Start, null, offset, bytes.Length);
        cuts.Add(slice);
        _pending.Add(slice);
        return Unit.Value;
    }

    /// <summary>The last chunk of the file that a run continues, if nothing else was written over it.</summary>
    /// <remarks>Not of a run that is shorter: no more is stored again than is new.</remarks>
    private static ManifestItem.Ref? TailBefore(DirtyRun run, Manifest basis, long before) =>
        run.Start == basis.SizeBytes
        && basis.Items is [.., ManifestItem.Ref { Offset: 0 } last]
        && last.Length <= run.Length
        && before <= run.Start - last.Length ? last : null;

    private Result<Unit, StoreError> CutByContent(
        Draft draft, DirtyRun run, ManifestItem.Ref? tail, List<CutSlice> cuts)
    {
        ManifestBuilder content = new();
        Span<byte> window = Window((int)Math.Min(run.Length + (tail?.Length ?? 0), 2 * _cdc.Options.MaxBytes));
        int filled = tail is not null && reader.TryReadHere(tail, window[..tail.Length]) ? tail.Length : 0;
        long start = run.Start - filled;
        long at = run.Start;
        while (at < run.End || filled > 0)
        {
            int more = (int)Math.Min(window.Length - filled, run.End - at);
            Result<Unit, StoreError> read = DraftContent.Read(journal, draft, at, window.Slice(filled, more));
            if (!read.IsOk)
            {
                return read;
            }

            at += more;
            filled += more;
            int used = 0;
            for (int length; used < filled; used += length)
            {
                length = _cdc.NextCut(window[used..filled], at == run.End);
                if (length <= 0)
                {
                    break;
                }

                Result<Unit, StoreError> put = chunks.Put(window.Slice(used, length), content);
                if (!put.IsOk)
                {
                    return put;
                }
            }

            window[used..filled].CopyTo(window);
            filled -= used;
        }

        cuts.Add(new CutSlice(start, content.Build(), 0, 0));
        return Unit.Value;
    }

    private Span<byte> Window(int length)
    {
        if (_window.Length < length)
        {
            Rest();
            _window = ArrayPool<byte>.Shared.Rent(length);
        }

        return _window.AsSpan(0, length);
    }
}
