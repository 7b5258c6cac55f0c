using Cairn.Core.Primitives;
using Cairn.Core.Rules;

namespace Cairn.Node.Volumes;

/// <summary>What holds for a file or folder.</summary>
/// <param name="Own">What is set on it itself; what is unsaid is inherited.</param>
/// <param name="Effective">With all it inherits: nothing is unsaid.</param>
public readonly record struct ObjectRule(Rule Own, Rule Effective);

/// <summary>The rules of a volume's folders and files.</summary>
/// <remarks>Thread: any; calls complete synchronously under the volume's gate.</remarks>
public interface IVolumeRules
{
    /// <summary>The rule of an object.</summary>
    Result<ObjectRule, VolumeError> Get(InodeNumber inode);

    /// <summary>Sets an object's own rule; one that says nothing removes it.</summary>
    Result<Unit, VolumeError> Set(InodeNumber inode, Rule own);
}
