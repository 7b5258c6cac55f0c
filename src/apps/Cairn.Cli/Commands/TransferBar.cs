using System.Buffers;
using System.Net;
using Cairn.Core.Text;
using Spectre.Console;

namespace Cairn.Cli.Commands;

/// <summary>A progress bar over copied bytes, for people at a terminal who copy enough to wait for it.</summary>
internal static class TransferBar
{
    private const long WorthABarBytes = 8 << 20;
    private const int BufferBytes = 1 << 20;

    /// <summary>Runs a copy that reports how many bytes came over since the last report.</summary>
    /// <param name="context">Says whether anybody looks.</param>
    /// <param name="name">What is copied.</param>
    /// <param name="totalBytes">How much; null if nobody knows.</param>
    /// <param name="copy">Copies.</param>
    public static async Task Show(CommandContext context, string name, long? totalBytes, Func<Action<long>, Task> copy)
    {
        if (!context.ShowsProgress || totalBytes is not >= WorthABarBytes)
        {
            await copy(static _ => { });
            return;
        }

        await ProgressBars.On(Console.Error).StartAsync(async drawn =>
        {
            ProgressTask bar = drawn.AddTask(Markup.Escape(name), maxValue: totalBytes.Value);
            string total = SizeText.Format(totalBytes.Value);
            await copy(bytes =>
            {
                bar.Increment(bytes);
                bar.Description = Markup.Escape($"{SizeText.Format((long)bar.Value)} of {total}  {name}");
            });
        });
    }

    /// <summary>Copies to the end.</summary>
    public static async Task Copy(Stream from, Stream to, Action<long> copied, CancellationToken cancellation)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            for (int count; (count = await from.ReadAsync(buffer, cancellation)) > 0; copied(count))
            {
                await to.WriteAsync(buffer.AsMemory(0, count), cancellation);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}

/// <summary>A request's body that is read from a stream and counted on the way.</summary>
internal sealed class BarContent(Stream input, Action<long> copied) : HttpContent
{
    /// <inheritdoc/>
    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        TransferBar.Copy(input, stream, copied, CancellationToken.None);

    /// <inheritdoc/>
    protected override Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
        TransferBar.Copy(input, stream, copied, cancellationToken);

    /// <inheritdoc/>
    protected override bool TryComputeLength(out long length)
    {
        length = input.CanSeek ? input.Length - input.Position : 0;
        return input.CanSeek;
    }
}
