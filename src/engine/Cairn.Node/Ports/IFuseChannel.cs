namespace Cairn.Node.Ports;

/// <summary>One request of the kernel and the room for its reply, in memory that does not move.</summary>
/// <remarks>
/// Ended exactly once, by <see cref="Send"/> or <see cref="Drop"/>, from any thread; afterwards its memory belongs to
/// another request. The reply's 17th byte and the data of a write request lie at the start of a page.
/// </remarks>
public interface IFuseExchange
{
    /// <summary>The request's bytes.</summary>
    ReadOnlyMemory<byte> Request { get; }

    /// <summary>Where the reply is written; room for its header and the largest read.</summary>
    Memory<byte> Reply { get; }

    /// <summary>Sends the first <paramref name="count"/> bytes of <see cref="Reply"/> and ends the exchange.</summary>
    /// <returns>False when the kernel did not take it, because the request was given up or the mount is gone.</returns>
    bool Send(int count);

    /// <summary>Ends the exchange without a reply (FORGET has none).</summary>
    void Drop();
}

/// <summary>What answers the kernel's requests.</summary>
public interface IFuseHandler
{
    /// <summary>Called once, before the first request.</summary>
    void Attach(IFuseChannel channel);

    /// <summary>
    /// Handles one request; called from several threads at a time. The exchange may be ended after the return.
    /// </summary>
    void Handle(IFuseExchange exchange);

    /// <summary>A queued notification is given to the kernel now; then <see cref="NoticeTaken"/> is called, from the same thread.</summary>
    void NoticeBegins(ReadOnlySpan<byte> message);

    /// <summary>The kernel has done what a queued notification said.</summary>
    void NoticeTaken(ReadOnlySpan<byte> message);

    /// <summary>Called once, after the last request, when the mount is gone: what it still held is let go.</summary>
    Task Detach();
}

/// <summary>The kernel's side of one mount.</summary>
public interface IFuseChannel
{
    /// <summary>Queues a notification (an unsolicited message with an out header) and returns at once.</summary>
    /// <remarks>
    /// The kernel takes locks to drop its caches that a request in progress may hold, so the message is written by a
    /// thread that nothing waits for. Messages go out in the order of the calls.
    /// </remarks>
    void Notify(ReadOnlySpan<byte> message);

    /// <summary>Sends a notification before it returns.</summary>
    /// <remarks>
    /// Only for the attributes of an inode that a request in progress keeps alive: there the kernel waits for
    /// nothing.
    /// </remarks>
    void NotifyNow(ReadOnlySpan<byte> message);
}
