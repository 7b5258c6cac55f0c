using Cairn.Coding.Encryption;
using Cairn.Core.Primitives;

namespace Cairn.Coding.Tests.Encryption;

public sealed class DatagramTests
{
    private static readonly byte[] Shared = TestKeys.Bytes(1, 32);
    private static readonly NodeId A = new(TestKeys.Bytes(2, 32));
    private static readonly NodeId B = new(TestKeys.Bytes(3, 32));

    [Fact]
    public void Datagrams_open_once_each_in_any_order_close_enough()
    {
        using DatagramSender sender = new(Shared, A, B, session: 5);
        using DatagramReceiver receiver = new(Shared, A, B);
        List<byte[]> sent = [];
        for (int i = 0; i < 40; i++)
        {
            sent.Add(Seal(sender, TestKeys.Bytes((ulong)i, i)));
        }

        byte[] plain = new byte[2000];
        foreach (int i in Enumerable.Range(0, 40).OrderBy(i => i * 17 % 40))
        {
            Assert.Equal(i, receiver.Open(sent[i], plain).Value);
            Assert.Equal(TestKeys.Bytes((ulong)i, i), plain[..i]);
            Assert.Equal(SealError.Replayed, receiver.Open(sent[i], plain).Error);
        }
    }

    [Fact]
    public void What_is_far_behind_is_refused_and_a_gap_is_not()
    {
        using DatagramSender sender = new(Shared, A, B, session: 5);
        using DatagramReceiver receiver = new(Shared, A, B);
        List<byte[]> sent = [.. Enumerable.Range(0, 200).Select(_ => Seal(sender, [1]))];
        byte[] plain = new byte[10];
        Assert.True(receiver.Open(sent[0], plain).IsOk);
        Assert.True(receiver.Open(sent[150], plain).IsOk);
        Assert.True(receiver.Open(sent[87], plain).IsOk);
        Assert.Equal(SealError.Replayed, receiver.Open(sent[86], plain).Error);
        Assert.True(receiver.Open(sent[199], plain).IsOk);
        Assert.Equal(SealError.Replayed, receiver.Open(sent[150], plain).Error);
    }

    [Fact]
    public void A_new_session_takes_over_and_a_forged_one_does_not()
    {
        using DatagramSender old = new(Shared, A, B, session: 5);
        using DatagramSender restarted = new(Shared, A, B, session: 6);
        using DatagramReceiver receiver = new(Shared, A, B);
        byte[] plain = new byte[10];
        Assert.True(receiver.Open(Seal(old, [1]), plain).IsOk);
        byte[] forged = Seal(old, [2]);
        forged[9] ^= 1;
        Assert.Equal(SealError.NotAuthentic, receiver.Open(forged, plain).Error);
        Assert.True(receiver.Open(Seal(old, [3]), plain).IsOk);
        Assert.True(receiver.Open(Seal(restarted, [4]), plain).IsOk);
        Assert.True(receiver.Open(Seal(restarted, [5]), plain).IsOk);
    }

    [Fact]
    public void Only_the_other_side_of_the_pair_opens_and_not_its_own_reflection()
    {
        using DatagramSender sender = new(Shared, A, B, session: 5);
        byte[] datagram = Seal(sender, [1, 2, 3]);
        byte[] plain = new byte[10];
        using DatagramReceiver reflected = new(Shared, B, A);
        using DatagramReceiver stranger = new(TestKeys.Bytes(9, 32), A, B);
        Assert.Equal(SealError.NotAuthentic, reflected.Open(datagram, plain).Error);
        Assert.Equal(SealError.NotAuthentic, stranger.Open(datagram, plain).Error);
        Assert.True(DatagramReceiver.TryReadSender(datagram, out ulong prefix));
        Assert.Equal(A.Value.Prefix, prefix);
    }

    [Fact]
    public void Every_flipped_bit_and_truncation_is_refused()
    {
        using DatagramSender sender = new(Shared, A, B, session: 5);
        using DatagramReceiver receiver = new(Shared, A, B);
        byte[] datagram = Seal(sender, TestKeys.Bytes(4, 30));
        byte[] plain = new byte[100];
        for (int bit = 0; bit < datagram.Length * 8; bit++)
        {
            datagram[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(receiver.Open(datagram, plain).IsOk, $"bit {bit}");
            datagram[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        for (int length = 0; length < datagram.Length; length++)
        {
            Assert.False(receiver.Open(datagram.AsSpan(0, length), plain).IsOk, $"{length} bytes");
        }

        Assert.Equal(SealError.WrongLength, receiver.Open(datagram, new byte[29]).Error);
        Assert.False(DatagramReceiver.TryReadSender(datagram.AsSpan(0, 40), out _));
        Assert.True(receiver.Open(datagram, plain).IsOk);
    }

    private static byte[] Seal(DatagramSender sender, byte[] plain)
    {
        byte[] datagram = new byte[plain.Length + DatagramSender.Overhead];
        sender.Seal(plain, datagram);
        return datagram;
    }
}
