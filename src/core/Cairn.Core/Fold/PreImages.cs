using Cairn.Core.Fold.Tables;

namespace Cairn.Core.Fold;

/// <summary>The pre-images of many transactions, one after the other in few arrays.</summary>
/// <remarks>
/// Values are copied: they may lie anywhere in the table and its caches, and each would keep a page there for as long as
/// somebody may be late. Keys lie among the changes of the same time.
/// </remarks>
internal sealed class PreImages
{
    /// <summary>From 85,000 bytes on the collector does not move an array.</summary>
    private const int RunLengthMax = 4096;
    private const int RunLengthMin = 64;

    private readonly BytePages _values = new();
    private PreImage[] _run = [];
    private int _start;
    private int _end;

    /// <summary>Adds one to those of the transaction at work.</summary>
    internal void Add(TableBytes key, TableBytes before)
    {
        if (_end == _run.Length)
        {
            int length = Math.Max(Math.Clamp(2 * _run.Length, RunLengthMin, RunLengthMax), 2 * (_end - _start));
            var next = new PreImage[length];
            _run.AsSpan(_start, _end - _start).CopyTo(next);
            (_run, _start, _end) = (next, 0, _end - _start);
        }

        _run[_end++] = new PreImage(key, before.IsAbsent ? before : _values.Append(before.Span));
    }

    /// <summary>Those since the last call.</summary>
    internal ReadOnlyMemory<PreImage> Take()
    {
        ReadOnlyMemory<PreImage> taken = _run.AsMemory(_start, _end - _start);
        _start = _end;
        return taken;
    }
}
