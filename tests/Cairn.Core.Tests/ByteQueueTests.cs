using Cairn.Core.Primitives;

namespace Cairn.Core.Tests;

public sealed class ByteQueueTests
{
    [Fact]
    public void What_goes_in_comes_out_in_its_order_whatever_its_length_and_whoever_is_ahead()
    {
        var random = new Prng(5);
        var queue = new ByteQueue();
        var expected = new Queue<byte[]>();
        byte[] buffer = [];
        for (int step = 0; step < 20_000; step++)
        {
            // In turn it fills to many pages, is emptied, and goes on at its end.
            bool isFilling = step / 1000 % 3 == 0;
            if (random.Next(10) < (isFilling ? 9 : 4))
            {
                byte[] bytes = new byte[random.Next(100) == 0 ? random.Next(200_000) : random.Next(400)];
                random.Fill(bytes);
                int first = random.Next(bytes.Length + 1);
                queue.Enqueue(bytes.AsSpan(0, first), bytes.AsSpan(first));
                expected.Enqueue(bytes);
            }
            else if (queue.TryDequeue(ref buffer, out int length))
            {
                Assert.Equal(expected.Dequeue(), buffer.AsSpan(0, length).ToArray());
            }

            Assert.Equal(expected.Count, queue.Count);
        }

        while (expected.TryDequeue(out byte[]? next))
        {
            Assert.True(queue.TryDequeue(ref buffer, out int length));
            Assert.Equal(next, buffer.AsSpan(0, length).ToArray());
        }

        Assert.False(queue.TryDequeue(ref buffer, out int none));
        Assert.Equal(0, none);
    }

    [Fact]
    public void What_was_thrown_away_does_not_come_out()
    {
        var queue = new ByteQueue();
        byte[] buffer = [];
        queue.Enqueue([1]);
        queue.Enqueue([2]);
        Assert.True(queue.TryDequeue(ref buffer, out _));
        queue.Clear();
        Assert.False(queue.TryDequeue(ref buffer, out _));
        queue.Enqueue([3]);
        Assert.True(queue.TryDequeue(ref buffer, out int length));
        Assert.Equal([3], buffer.AsSpan(0, length).ToArray());
    }
}
