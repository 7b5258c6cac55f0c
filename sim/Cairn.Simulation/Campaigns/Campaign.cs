using System.Diagnostics;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Rules;
using Cairn.Node;
using Cairn.Node.Control;
using Cairn.Node.Volumes;
using Cairn.Simulation.Disks;
using Cairn.Simulation.Network;
using Cairn.Simulation.Time;

namespace Cairn.Simulation.Campaigns;

/// <summary>One run: a pool of whole nodes on virtual time, storms of faults and work, and checks.</summary>
/// <remarks>
/// (1) The pool is founded and joined in calm. (2) A storm: clients work, things break. (3) Everything is mended,
/// clients end, and the pool must come to rest in bounded time. (4) Everything is checked. (5) A machine is replaced, if
/// that is wanted, and (3) and (4) come once more. (2) to (5) repeat until the time is up.
/// The same options give the same run. Thread: the caller's.
/// </remarks>
public sealed class Campaign
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan WatchEvery = TimeSpan.FromMinutes(1);
    private const int LookAtCopiesEvery = 5;
    private const int TellEvery = 60;

    /// <summary>How long a history is in which checkpoints are made, and which newcomers do not fold: seldom so short.</summary>
    private const int TransactionsBetweenCheckpoints = 100;

    /// <summary>How much longer others think than a client.</summary>
    private const int EchoPauses = 3;
    private const int CuratorPauses = 6;

    private readonly CampaignOptions _options;
    private readonly SimulatedScheduler _scheduler = new();
    private readonly SimulatedNetwork _network;
    private readonly List<SimulatedMachine> _machines = [];
    private readonly List<Actor> _actors = [];
    private readonly Oracle _oracle = new();
    private readonly CheckedSignatures _signatures = new();
    private readonly EqualPages _pages = new();
    private readonly WorkloadCounters _counters = new();
    private readonly FaultPlan _faults;
    private readonly InvariantChecker _checker;
    private readonly Chronicle _chronicle;
    private readonly Prng _random;
    private readonly Action<RunProgress>? _progress;
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private int _machinesMade;
    private TimeSpan _worstConvergence;
    private bool _isStormy;
    private TimeSpan _done;

    private Campaign(CampaignOptions options, Action<string>? listener, Action<RunProgress>? progress)
    {
        _progress = progress;
        _options = options;
        _chronicle = new Chronicle(_scheduler, listener);
        _network = new SimulatedNetwork(_scheduler, options.Seed);
        _random = new Prng(options.Seed ^ 0xC11E);
        _faults = new FaultPlan(_scheduler, _network, _machines, options, _oracle, _chronicle);
        _checker = new InvariantChecker(_scheduler, _machines, options, _oracle, _counters);
    }

    /// <summary>Runs it to the end, or to the first broken promise.</summary>
    /// <param name="options">What to run.</param>
    /// <param name="listener">Told what happens, a line at a time; nobody by default.</param>
    /// <param name="progress">Told each virtual hour how far it is; nobody by default.</param>
    public static RunReport Run(
        CampaignOptions options, Action<string>? listener = null, Action<RunProgress>? progress = null)
    {
        Campaign campaign = new(options, listener, progress);
        try
        {
            campaign.RunAll();
        }
        catch (Exception exception) when (exception is TimeoutException or InvariantException or CampaignException)
        {
            campaign._checker.CheckAlways();
            campaign._checker.Break("the pool makes progress", exception.ToString());
        }

        RunReport report = campaign.Report(campaign._watch.Elapsed);
        foreach (SimulatedMachine machine in campaign._machines)
        {
            machine.Dispose();
        }

        return report;
    }

    private void RunAll()
    {
        FoundPool();
        TimeSpan left = _options.Duration;
        while (left > TimeSpan.Zero && _checker.Broken.Count == 0)
        {
            TimeSpan length = left < _options.StormLength * 1.5 ? left : _options.StormLength;
            left -= length;
            Storm(length);
            _done += length;
            Settle();
            if (_options.Faults.HasFlag(FaultKinds.Replace) && left > TimeSpan.Zero && _checker.Broken.Count == 0)
            {
                ReplaceOne();
                Settle();
            }
        }
    }

    /// <summary>(1)</summary>
    private void FoundPool()
    {
        SimulatedMachine first = AddMachine();
        Require(Do(first, () => Task.FromResult(Founding.Found(first.Ports, first.Options))));
        Begin(first);
        for (int i = 1; i < _options.Nodes; i++)
        {
            Join(first);
        }

        Require(Do(first, () => first.Node!.CreateVolume("shared", default).AsTask()));
        Until(() => _machines.TrueForAll(machine => machine.Volume is not null), "the volume is open everywhere");
        if (!Do(first, () => Echo.Prepare(first.Volume!)).TryGet(out _, out VolumeError error))
        {
            throw new CampaignException($"the folder of echoes: {error}");
        }

        if (_options.KeepsNothing)
        {
            KeepNothing(first.Volume!);
        }

        foreach (SimulatedMachine machine in _machines)
        {
            machine.Started = StartClient;
        }
    }

    private int SettledWithout(SimulatedMachine machine) => machine.Node?.State.Settled.Values.Count(
        settled => _machines.Exists(other => !settled.Members.Contains(other.Id))) ?? 0;

    private SimulatedMachine Join(SimulatedMachine host)
    {
        SimulatedMachine next = AddMachine();
        bool isLaptop = LaptopOutings.IsLaptop(next, _options.Faults);
        InviteTerms terms = new(isLaptop ? MemberRole.Member : MemberRole.Admin);
        InviteTicket ticket = Require(Do(host, () => host.Node!.Invite(terms, default).AsTask()));
        Require(Do(next, () => Founding.Join(next.Ports, next.Options, ticket.Code, CancellationToken.None)));
        Begin(next);
        return next;
    }

    /// <summary>(5) One hands everything on and leaves; its disk is gone with it. A new one begins with nothing.</summary>
    private void ReplaceOne()
    {
        SimulatedMachine leaver = _machines[_random.Next(_machines.Count)];
        Require(Do(leaver, () => Leave(leaver.Node!)));
        leaver.Kill(CrashKind.PowerLost);
        _machines.Remove(leaver);
        leaver.Dispose();
        SimulatedMachine next = Join(_machines[0]);
        Until(() => next.Volume is not null, "the newcomer has the volume open");
        next.Started = StartClient;
        _faults.Happened(FaultKinds.Replace, $"{leaver.Options.Name} left, {next.Options.Name} joined");
    }

    private static async Task<Result<Unit, ControlError>> Leave(CairnNode node)
    {
        await foreach (Result<SafetyProgress, ControlError> step in node.Leave(force: false, default))
        {
            if (!step.TryGet(out _, out ControlError error))
            {
                return error;
            }
        }

        return Unit.Value;
    }

    private void StartClient(SimulatedMachine machine) =>
        machine.Process.Start("client", () => WorkWhenOpen(machine));

    private static void KeepNothing(IVolume volume)
    {
        Result<Unit, VolumeError> set = volume.Rules!.Set(InodeNumber.Root, new Rule { Keep = Retention.None });
        if (!set.TryGet(out _, out VolumeError error))
        {
            throw new CampaignException($"the rule that keeps nothing: {error}");
        }
    }

    /// <summary>(2)</summary>
    private void Storm(TimeSpan length)
    {
        _isStormy = true;
        _machines.ForEach(StartClient);
        _faults.StartStorm();
        int watches = 0;
        TimeSpan began = _scheduler.Now;
        for (TimeSpan end = _scheduler.Now + length; _scheduler.Now < end && _checker.Broken.Count == 0;)
        {
            _scheduler.RunFor(WatchEvery < end - _scheduler.Now ? WatchEvery : end - _scheduler.Now);
            _checker.CheckAlways();

            // They would keep all that their dead processes had in memory until the storm is over.
            _actors.RemoveAll(static actor => !actor.IsAtWork);
            if (++watches % LookAtCopiesEvery == 0)
            {
                _checker.CheckCopiesKept(_faults.Rotted);
            }

            DeadProcesses.CollectIfMany();
            if (watches % TellEvery == 0)
            {
                _progress?.Invoke(new RunProgress(
                    _options.Seed, _done + (_scheduler.Now - began), _options.Duration, _watch.Elapsed));
            }
        }

        _isStormy = false;
        _faults.EndStorm();
        foreach (Actor actor in _actors)
        {
            actor.IsStopping = true;
        }
    }

    /// <summary>(3) and (4)</summary>
    private void Settle()
    {
        TimeSpan began = _scheduler.Now;
        string? unrest = "it has just been mended";
        while (unrest is not null && _checker.Broken.Count == 0)
        {
            if (_scheduler.Now - began > _options.SettleMax)
            {
                _checker.Break($"the healed pool comes to rest within {_options.SettleMax}", unrest);
                return;
            }

            _scheduler.RunFor(TimeSpan.FromSeconds(10));
            unrest = _actors.Exists(actor => actor.IsAtWork) ? "somebody works" : _checker.Unrest();
            _checker.CheckAlways();
            DeadProcesses.CollectIfMany();
        }

        _actors.Clear();
        TimeSpan took = _scheduler.Now - began;
        _worstConvergence = took > _worstConvergence ? took : _worstConvergence;
        if (_checker.Broken.Count == 0)
        {
            if (_options.Bug == PlantedBug.DroppedChunk)
            {
                _checker.DropOneChunk();
            }

            _checker.CheckAtRest(_faults.Rotted);
            _checker.CheckAlways();
        }
    }

    private async Task WorkWhenOpen(SimulatedMachine machine)
    {
        while (_isStormy && machine.Volume is null)
        {
            await Task.Delay(TimeSpan.FromSeconds(1), machine.Process.Time);
        }

        if (_isStormy)
        {
            Actor[] actors =
            [
                new Client(machine, _oracle, _counters, _options.ThinkTime, _random.NextUInt64()),
                new Echo(machine, _counters, _options.ThinkTime * EchoPauses, _random.NextUInt64()),
                new Curator(machine, _counters, _options.ThinkTime * CuratorPauses, _random.NextUInt64()),
            ];
            _actors.AddRange(actors);
            await Task.WhenAll(actors.Select(static actor => actor.Run()));
        }
    }

    private SimulatedMachine AddMachine()
    {
        NodeOptions options = new()
        {
            SpaceBytes = _options.SpaceBytes,
            Horizon = _options.Horizon,
            TableFrom = TransactionsBetweenCheckpoints,
            DropsBlocks = true,
            DropBytesMin = 1,
        };
        SimulatedMachine machine = new(_scheduler, _network, _machinesMade++, _options.Seed, options, _pages)
        {
            Told = _chronicle.Add,
            CheckSignature = _signatures.Check,
        };
        machine.Disk.Faults.SyncLies = _options.Bug == PlantedBug.LyingDisk;
        _machines.Add(machine);
        return machine;
    }

    private void Begin(SimulatedMachine machine)
    {
        machine.Start();
        Until(() => machine.IsUp, "the node runs");
        Until(
            () => _machines.TrueForAll(node => node.Nodes().Count(other => other.IsConnected) == _machines.Count),
            "all nodes are connected");
    }

    private void Until(Func<bool> condition, string what)
    {
        for (TimeSpan end = _scheduler.Now + Patience; !condition();)
        {
            _scheduler.RunFor(TimeSpan.FromMilliseconds(100));
            if (_scheduler.Now > end)
            {
                throw new CampaignException($"not within {Patience}: {what}");
            }
        }
    }

    private T Do<T>(SimulatedMachine machine, Func<Task<T>> work) =>
        _scheduler.Complete(machine.Process.Run(work), Patience);

    private static T Require<T>(Result<T, ControlError> result) =>
        result.TryGet(out T? value, out ControlError error) ? value : throw new CampaignException(error.ToString());

    private RunReport Report(TimeSpan wall) => new()
    {
        Seed = _options.Seed,
        VirtualTime = _scheduler.Now,
        Events = _scheduler.Steps,
        Operations = _counters.Answered,
        PromisedWrites = _oracle.Promised,
        Deeds =
        [
            .. _counters.Deeds,
            new("volumes with a checkpoint", _machines.Max(machine => machine.Node?.State.Checkpoints.Count ?? 0)),
            new("volumes with a settled one", _machines.Max(machine => machine.Node?.State.Settled.Count ?? 0)),
            new("volumes with one that was settled without somebody", _machines.Max(SettledWithout)),
            new("files that lack a part", _checker.Lacking),
            new("logs that begin later", _machines.Max(
                machine => machine.Hosted?.Log.FirstKept(LogPositions.Empty).Count ?? 0)),
        ],
        Faults = [.. FaultWords.Kinds.Select(kind => KeyValuePair.Create(FaultWords.Of(kind), _faults.Count(kind)))],
        Conflicts = _checker.Conflicts,
        ChunksRemade = _machines.Sum(machine => machine.ChunksRemade),
        WorstConvergence = _worstConvergence,
        WallTime = wall,
        TraceHash = _scheduler.Trace.Value,
        Broken = [.. _checker.Broken],
        Diary = _checker.Broken.Count == 0 ? [] : _chronicle.Last,
        ReplayCommand = _options.ReplayCommand,
    };
}

/// <summary>A pool that could not even be made, or did not answer.</summary>
public sealed class CampaignException : Exception
{
    /// <summary>Without words.</summary>
    public CampaignException()
    {
    }

    /// <summary>With words.</summary>
    public CampaignException(string message)
        : base(message)
    {
    }

    /// <summary>With words and a cause.</summary>
    public CampaignException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
