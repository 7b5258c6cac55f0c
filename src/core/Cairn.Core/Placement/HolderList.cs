using System.Collections;
using Cairn.Core.Primitives;

namespace Cairn.Core.Placement;

/// <summary>Some nodes of a <see cref="PlacementTable"/>, in order; a view that copies nothing.</summary>
public readonly struct HolderList : IReadOnlyList<NodeId>, IEquatable<HolderList>
{
    private readonly NodeId[] _nodes;
    private readonly ushort[] _order;
    private readonly int _start;

    internal HolderList(NodeId[] nodes, ushort[] order, int start, int count)
    {
        _nodes = nodes;
        _order = order;
        _start = start;
        Count = count;
    }

    /// <inheritdoc/>
    public int Count { get; }

    /// <inheritdoc/>
    public NodeId this[int index]
    {
        get
        {
            Invariant.That((uint)index < (uint)Count, $"holder {index} of {Count}");
            return _nodes[_order[_start + index]];
        }
    }

    /// <summary>Whether a node is among them.</summary>
    public bool Contains(NodeId node) => IndexOf(node) >= 0;

    /// <summary>The place of a node, or -1.</summary>
    public int IndexOf(NodeId node)
    {
        for (int i = 0; i < Count; i++)
        {
            if (_nodes[_order[_start + i]] == node)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>Enumerates without allocating.</summary>
    public Enumerator GetEnumerator() => new(this);

    IEnumerator<NodeId> IEnumerable<NodeId>.GetEnumerator() => GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The same nodes in the same order.</summary>
    public bool Equals(HolderList other) => this.SequenceEqual(other);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is HolderList other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => Count == 0 ? 0 : this[0].GetHashCode();

    /// <summary>Same nodes, same order.</summary>
    public static bool operator ==(HolderList left, HolderList right) => left.Equals(right);

    /// <summary>Different nodes or order.</summary>
    public static bool operator !=(HolderList left, HolderList right) => !left.Equals(right);

    /// <summary>Walks a <see cref="HolderList"/>.</summary>
    public struct Enumerator : IEnumerator<NodeId>
    {
        private readonly HolderList _list;
        private int _index;

        internal Enumerator(HolderList list)
        {
            _list = list;
            _index = -1;
        }

        /// <inheritdoc/>
        public readonly NodeId Current => _list[_index];

        readonly object IEnumerator.Current => Current;

        /// <inheritdoc/>
        public bool MoveNext() => ++_index < _list.Count;

        /// <inheritdoc/>
        public void Reset() => _index = -1;

        /// <inheritdoc/>
        public readonly void Dispose()
        {
        }
    }
}
