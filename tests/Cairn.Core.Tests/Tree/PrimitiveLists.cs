using System.Collections.Immutable;
using Cairn.Core.Log;
using Cairn.Core.Primitives;
using Cairn.Core.Tree;

namespace Cairn.Core.Tests.Tree;

internal static class PrimitiveLists
{
    internal static Result<ImmutableArray<Primitive>, TreeError> ToImmutable(this Primitive[] primitives) =>
        ImmutableArray.Create(primitives);
}
