using Cairn.Core.Primitives;

namespace Cairn.Core.Membership.Swim;

/// <summary>Claims waiting to be passed on: at most one per member, the least often sent first.</summary>
internal sealed class SwimNews
{
    private readonly List<Item> _items = [];
    private ulong _added;

    /// <summary>Whether nothing waits.</summary>
    public bool IsEmpty => _items.Count == 0;

    /// <summary>Queues a claim; it replaces an older one about the same member.</summary>
    public void Add(SwimUpdate update)
    {
        Forget(update.Node);
        _items.Add(new Item(update, 0, _added++));
    }

    /// <summary>Drops what is queued about a member.</summary>
    public void Forget(NodeId node) => _items.RemoveAll(item => item.Update.Node == node);

    /// <summary>Takes claims for one message.</summary>
    /// <param name="updates">Where to put them; those already there are not put twice.</param>
    /// <param name="countMax">How many fit in all.</param>
    /// <param name="transmitsMax">A claim sent this often is dropped.</param>
    public void Take(List<SwimUpdate> updates, int countMax, int transmitsMax)
    {
        if (_items.Count == 0)
        {
            return;
        }

        _items.Sort((left, right) =>
        {
            int order = left.Transmits.CompareTo(right.Transmits);
            return order != 0 ? order : right.Added.CompareTo(left.Added);
        });
        for (int i = 0; i < _items.Count && updates.Count < countMax; i++)
        {
            Item item = _items[i];
            if (!updates.Contains(item.Update))
            {
                updates.Add(item.Update);
            }

            _items[i] = item with { Transmits = item.Transmits + 1 };
        }

        _items.RemoveAll(item => item.Transmits >= transmitsMax);
    }

    private readonly record struct Item(SwimUpdate Update, int Transmits, ulong Added);
}
