using Cairn.Core.Primitives;
using Cairn.Core.Rules;

namespace Cairn.Core.Tree;

/// <summary>What holds for a file or folder, with all it inherits from the folders above.</summary>
/// <remarks>It remembers folders: make one for a walk, not for life.</remarks>
/// <param name="fallback">What holds where no rule says anything; complete.</param>
public sealed class TreeRules(TreeQueries queries, Rule fallback)
{
    private const int DepthMax = 4096;

    private readonly Dictionary<ObjectId, Rule> _folders = [];

    /// <summary>
    /// The rule of an object; of a removed one by where it was last. A rule nobody can read says nothing.
    /// </summary>
    public Rule For(ObjectId id) => For(id, 0);

    /// <summary>The rule set on this very object, or one that says nothing.</summary>
    public Rule Own(ObjectId id) =>
        queries.Rule(id) is { } bytes && RuleCodec.Decode(bytes.Span).TryGet(out Rule? rule, out _) ? rule : Rule.Empty;

    private Rule For(ObjectId id, int depth)
    {
        if (_folders.TryGetValue(id, out Rule? known))
        {
            return known;
        }

        ObjectView? view = queries.Get(id);
        bool isTop = id == TreeQueries.Root || depth > DepthMax || view is not { Record.Places.Count: > 0 };
        Rule inherited = isTop
            ? Own(TreeQueries.Root).Over(fallback)
            : For(view!.Record.Places[0].Parent, depth + 1);
        Rule rule = Own(id).Over(inherited);
        if (view?.Kind == Log.TreeKind.Directory)
        {
            _folders.Add(id, rule);
        }

        return rule;
    }
}
