using System.Security.Cryptography;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;

namespace Cairn.Simulation;

/// <summary>The outcomes of signature checks: what one machine of a simulated pool checked, the others need not check again.</summary>
/// <remarks>
/// A check is a function of its arguments, so a run is the same with it; of 20 nodes each block would be checked 19 times, which was
/// a sixth of a run. Thread: the simulation's.
/// </remarks>
internal sealed class CheckedSignatures
{
    private const int OutcomesMax = 1 << 17;

    private readonly Dictionary<Bytes32, bool> _outcomes = [];

    /// <summary>As <see cref="Signatures.CheckEcdsa"/>.</summary>
    public bool Check(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(BitConverter.GetBytes(publicKey.Length));
        hash.AppendData(publicKey);
        hash.AppendData(BitConverter.GetBytes(signature.Length));
        hash.AppendData(signature);
        hash.AppendData(data);
        Bytes32 question = new(hash.GetHashAndReset());
        if (!_outcomes.TryGetValue(question, out bool isGood))
        {
            if (_outcomes.Count == OutcomesMax)
            {
                _outcomes.Clear();
            }

            isGood = Signatures.CheckEcdsa(publicKey, data, signature);
            _outcomes.Add(question, isGood);
        }

        return isGood;
    }
}
