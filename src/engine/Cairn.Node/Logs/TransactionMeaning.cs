using System.Security.Cryptography;
using Cairn.Core.Log;
using Cairn.Core.Primitives;

namespace Cairn.Node.Logs;

/// <summary>What a transaction says, whatever its number, in 32 bytes.</summary>
internal static class TransactionMeaning
{
    /// <summary>The hash of all that is said.</summary>
    public static Bytes32 Of(Transaction transaction) => new(SHA256.HashData(Repeats.MeaningOf(transaction)));
}
