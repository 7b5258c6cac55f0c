using Cairn.Core.Fold.Tables;
using Cairn.Core.Log;
using Cairn.Core.Rights;

namespace Cairn.Core.Tests.Rights;

internal static class RightsKit
{
    /// <summary>Whether any transaction that is folded may be judged otherwise than it was.</summary>
    internal static bool JudgesOtherwise(
        this WriteRights rights, WriteRights before, LogPositions folded, ITableSource table) =>
        !rights.JudgedAlike(before, folded, table).Covers(folded);
}
