using System.Globalization;
using System.Net;
using Cairn.Coding.Encryption;
using Cairn.Coding.Hashing;
using Cairn.Core.Primitives;
using Cairn.Io.Disk;
using Cairn.Io.Identity;
using Cairn.Io.Transport;
using Cairn.Node.Ports;
using Cairn.Storage.Journaling;
using Cairn.Storage.Packs;

namespace Cairn.Bench.Micro;

/// <summary>What each stage costs that a written byte passes through: CPU seconds a GiB, in pieces of 1 MiB.</summary>
/// <remarks>
/// The last line adds them up as four nodes run them: the least that a transfer can cost while the stages are what they
/// are. What `bench/Pool/pool` measures above it is the drive, scheduling and the runtime.
/// </remarks>
internal sealed class QuickStages : IAsyncDisposable
{
    private const int Pieces = 512;
    private const int PieceBytes = 1 << 20;
    private const int Receivers = 3;

    private readonly string _home;
    private readonly RealDisk _disk;
    private readonly Journal _journal;
    private readonly ChunkStore _store;
    private readonly ExtentCipher _extents;
    private readonly byte[] _plain = new byte[PieceBytes];
    private readonly byte[] _sent = new byte[ChunkStore.ReadRoom + PieceBytes];
    private readonly byte[] _sealed = new byte[ExtentCipher.SealedLength(PieceBytes)];
    private readonly JournalPosition[] _written = new JournalPosition[Pieces];
    private readonly RecordKey[] _keys;
    private double _oneNode;
    private double _eachReceiver;

    private QuickStages(string home)
    {
        _home = home;
        _disk = RealDisk.OpenRoot(home).Value;
        _journal = Journal.Open(_disk).Value;
        _ = _journal.Replay(static (_, _, _, _) => true);
        _store = ChunkStore.Open(_disk, new ChunkStoreOptions { SpaceBytes = 4L << 30 }).Value;
        Prng random = new(1);
        random.Fill(_plain);
        _extents = new ExtentCipher(_plain.AsSpan(0, ExtentCipher.SecretSize), default);
        byte[] address = new byte[ChunkAddress.Size];
        _keys = new RecordKey[Pieces];
        for (int i = 0; i < Pieces; i++)
        {
            random.Fill(address);
            _keys[i] = RecordKey.Copy(new ChunkAddress(address));
        }
    }

    /// <param name="folder">On the disk to measure; a new folder below it is used and removed.</param>
    public static async Task<int> Run(string folder)
    {
        string home = Path.Join(folder, $"cairn-stages-{Environment.ProcessId}");
        try
        {
            await using QuickStages stages = new(home);
            await stages.RunAll();
            return 0;
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _extents.Dispose();
        _store.Dispose();
        _journal.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task RunAll()
    {
        ChunkPipeline pipeline = new(Pieces / 4 * PieceBytes);
        Show("seal for the journal", Measure(_ => _extents.Seal([], _plain, _sealed)));
        Show("journal: append", Measure(i => _written[i] = _journal.Append(JournalKind.Extent, [], _sealed).Value));
        Show("journal: read back", Measure(i => _ = _journal.Read(_written[i], 0, _sealed)));
        ulong nonce = _extents.Seal([], _plain, _sealed);
        Show("open", Measure(i => _ = _extents.Open(nonce, [], PieceBytes, 0, _sealed, _plain)));
        Show("cut", MeasureQuarter(() => pipeline.Cut()));
        Show("chunk id", MeasureQuarter(() => pipeline.Identify()));
        Show("encrypt and address", MeasureQuarter(() => pipeline.Encode()));
        double put = Measure(i => _ = _store.Put(_keys[i], _plain, ChunkUse.Staged)) + Once(() => _store.Commit());
        Show("store: put and commit", put);
        Show("store: read to send", Measure(i => _ = _store.ReadToSend(_keys[i], _sent)));
        double verify = Measure(_ => ChunkHasher.Address(_plain));
        double tls = await MeasureTls();
        ShowReceiver("send and receive over TLS, both ends", tls);
        ShowReceiver("verify the address", verify);
        ShowReceiver("store: put and commit", put);
        double all = _oneNode + (Receivers * _eachReceiver);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"1 GiB onto four nodes: {_oneNode:F2} + {Receivers} x {_eachReceiver:F2} = {all:F2} CPU s"));
    }

    private static double Measure(Action<int> work) => Once(() =>
    {
        for (int i = 0; i < Pieces; i++)
        {
            work(i);
        }
    });

    private static double MeasureQuarter(Action work)
    {
        work();
        return Once(work) * 4;
    }

    private static double Once(Action work)
    {
        TimeSpan start = Environment.CpuUsage.TotalTime;
        work();
        return Rate(start);
    }

    private static double Rate(TimeSpan start) =>
        (Environment.CpuUsage.TotalTime - start).TotalSeconds * ((1 << 30) / ((double)Pieces * PieceBytes));

    private async Task<double> MeasureTls()
    {
        TransportOptions options = new() { Listen = new IPEndPoint(IPAddress.Loopback, 0), AnnouncePort = null };
        using FileIdentity sender = FileIdentity.Generate();
        using FileIdentity receiver = FileIdentity.Generate();
        await using TlsTransport from = TlsTransport.Listen(options, sender).Value;
        await using TlsTransport to = TlsTransport.Listen(options, receiver).Value;
        Task<Result<IConnection, TransportError>> connecting =
            from.Connect(to.ListenAddress, receiver.Node, default).AsTask();
        IConnection end = (await to.Accept(default)).Value;
        IConnection start = (await connecting).Value;
        await Transfer(start, end);
        TimeSpan before = Environment.CpuUsage.TotalTime;
        await Transfer(start, end);
        return Rate(before);
    }

    private async Task Transfer(IConnection from, IConnection to)
    {
        byte[] head = new byte[48];
        Task receiving = Task.Run(async () =>
        {
            for (int i = 0; i < Pieces; i++)
            {
                (await to.Receive(default)).Value.Dispose();
            }
        });
        for (int i = 0; i < Pieces; i++)
        {
            _ = await from.Send(head, _plain, default);
        }

        await receiving;
    }

    private void Show(string what, double seconds)
    {
        _oneNode += seconds;
        Print("writer", what, seconds);
    }

    private void ShowReceiver(string what, double seconds)
    {
        _eachReceiver += seconds;
        Print("each receiver", what, seconds);
    }

    private static void Print(string who, string what, double seconds) => Console.WriteLine(
        string.Create(CultureInfo.InvariantCulture, $"{who,-14} {what,-40} {seconds,6:F2} CPU s a GiB"));
}
