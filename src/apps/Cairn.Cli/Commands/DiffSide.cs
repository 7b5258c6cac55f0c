using Cairn.Core.Text;

namespace Cairn.Cli.Commands;

/// <summary>One of two contents that are compared: read by steps, and kept as long as it may be a text.</summary>
internal sealed class DiffSide : IDisposable
{
    private const int StepBytes = 256 << 10;

    private readonly HttpResponseMessage _answer;
    private readonly Stream _content;
    private readonly byte[] _step = new byte[StepBytes];
    private readonly MemoryStream _kept = new();

    private DiffSide(HttpResponseMessage answer, Stream content) => (_answer, _content) = (answer, content);

    /// <summary>Whether all that came so far may be a text.</summary>
    public bool IsText { get; private set; } = true;

    /// <summary>All of it, if it is a text.</summary>
    public ReadOnlyMemory<byte> Text => _kept.GetBuffer().AsMemory(0, (int)_kept.Length);

    /// <summary>Asks for it.</summary>
    /// <exception cref="CommandException">It is not there, or the daemon does not answer.</exception>
    public static async Task<DiffSide> Open(CommandContext context, string place, CancellationToken cancellation)
    {
        (HttpResponseMessage answer, _) = await PastContent.Ask(context, place, cancellation);
        return new DiffSide(answer, await answer.Content.ReadAsStreamAsync(cancellation));
    }

    /// <summary>The next bytes, until the next call: less than a step only at the end, where there are none.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> Next(CancellationToken cancellation)
    {
        int count = await _content.ReadAtLeastAsync(_step, StepBytes, throwOnEndOfStream: false, cancellation);
        ReadOnlyMemory<byte> step = _step.AsMemory(0, count);
        IsText &= _kept.Length + count <= TextLines.BytesMax && TextLines.IsText(step.Span);
        if (IsText)
        {
            _kept.Write(step.Span);
        }

        return step;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _content.Dispose();
        _answer.Dispose();
        _kept.Dispose();
    }
}
