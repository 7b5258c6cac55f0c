using Cairn.Node.Ports;

namespace Cairn.Fuse.Tests;

/// <summary>Holds notifications back before the kernel is given them.</summary>
internal sealed class HeldNotices(IFuseHandler session) : IFuseHandler, IDisposable
{
    private readonly ManualResetEventSlim _free = new(true);

    public void Hold() => _free.Reset();

    public void LetGo() => _free.Set();

    public void Attach(IFuseChannel channel) => session.Attach(channel);

    public void Handle(IFuseExchange exchange) => session.Handle(exchange);

    public void NoticeBegins(ReadOnlySpan<byte> message)
    {
        _free.Wait();
        session.NoticeBegins(message);
    }

    public void NoticeTaken(ReadOnlySpan<byte> message) => session.NoticeTaken(message);

    public Task Detach()
    {
        LetGo();
        return session.Detach();
    }

    public void Dispose() => _free.Dispose();
}
