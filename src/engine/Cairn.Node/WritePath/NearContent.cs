using System.Text;
using Cairn.Core.Manifests;
using Cairn.Core.Rules;
using Cairn.Core.Tree;
using Cairn.Node.Engine;

namespace Cairn.Node.WritePath;

/// <summary>
/// Files that say what every node must know, wherever it is: their bytes lie in their manifests, which are where the volume is.
/// </summary>
/// <remarks>
/// A <c>.cairnignore</c> that cannot be read keeps nothing back: what is written then would be shared, and that cannot be undone.
/// </remarks>
internal static class NearContent
{
    private static readonly byte[] Name = Encoding.ASCII.GetBytes(IgnorePatterns.FileName);

    /// <summary>Whether a file of that name is one.</summary>
    public static bool IsMeant(ReadOnlySpan<byte> name) => name.SequenceEqual(Name);

    /// <summary>Whether a file whose draft is frozen is one, and is not too large. A small one that is new needs no look.</summary>
    public static bool IsMeant(VolumeState state, OpenObject target)
    {
        PublishOptions options = state.Parts.Publishing;
        long size = target.Frozen!.SizeBytes;
        if (size == 0 || size > options.NearInlineBytesMax || (size <= options.InlineBytesMax && target.BaseSize == 0))
        {
            return false;
        }

        lock (state.Gate)
        {
            return state.Queries.Get(target.Id) is { } view
                && state.Queries.Parents(view.Owner).Any(static place => IsMeant(place.Name.Span));
        }
    }

    /// <summary>Whether the file that got such a name has bytes, or will have with what is being published, outside its manifest.</summary>
    public static bool IsElsewhere(VolumeState state, ObjectView view)
    {
        PublishOptions options = state.Parts.Publishing;
        OpenObject? open = state.FindOpen(view.Id);
        if (open?.Active is not null)
        {
            return false;   // It is published under its new name.
        }

        return open?.Frozen is { } frozen
            ? frozen.SizeBytes <= options.NearInlineBytesMax
            : view.Head is { } head && head.SizeBytes <= options.NearInlineBytesMax && !IsInline(head.Manifest.Span);
    }

    private static bool IsInline(ReadOnlySpan<byte> root) =>
        root.IsEmpty
        || (ManifestRootCodec.Decode(root).TryGet(out ManifestRoot? decoded, out _)
            && decoded is ManifestRoot.Inline inline
            && !inline.Manifest.Items.Any(static item => item is ManifestItem.Ref));
}
