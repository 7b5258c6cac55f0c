using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Rules;
using Cairn.Core.Tree;
using Cairn.Node.Volumes;

namespace Cairn.Node.Engine.Requests;

/// <summary>The rules of folders and files, for doors.</summary>
internal sealed class RuleOperations(VolumeState state) : IVolumeRules
{
    /// <inheritdoc/>
    public Result<ObjectRule, VolumeError> Get(InodeNumber inode)
    {
        lock (state.Gate)
        {
            if (!state.View(inode).TryGet(out ObjectView? view, out VolumeError error))
            {
                return error;
            }

            Rule fallback = Rule.Default with { Keep = state.Parts.Garbage.Keep };
            TreeRules rules = new(state.Queries, fallback);
            return new ObjectRule(rules.Own(view.Owner), rules.For(view.Owner));
        }
    }

    /// <inheritdoc/>
    public Result<Unit, VolumeError> Set(InodeNumber inode, Rule own)
    {
        if (own.FindProblem() is not null)
        {
            return VolumeError.InvalidArgument;
        }

        lock (state.Gate)
        {
            if (!state.View(inode).TryGet(out ObjectView? view, out VolumeError error))
            {
                return error;
            }

            byte[] bytes = own.Equals(Rule.Empty) ? [] : RuleCodec.Encode(own);
            ImmutableArray<Primitive> primitives = [new SetRule(view.Owner, bytes)];
            return state.Commit(primitives) is { } failed ? failed : Unit.Value;
        }
    }
}
