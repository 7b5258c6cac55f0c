using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Simulation.Disks;
using Cairn.Simulation.Network;
using Cairn.Simulation.Time;
using Cairn.Storage.Home;

namespace Cairn.Simulation.Campaigns;

/// <summary>Breaks things at random moments during a storm, and mends all of them at its end.</summary>
/// <remarks>
/// What it must not do: rot the only copy of something (a machine is rotted only while it owes nothing to others, and
/// at most copies - 1 machines a storm), or keep more than half of the machines down. Thread: the simulation's.
/// </remarks>
internal sealed class FaultPlan
{
    private static readonly TimeSpan LookForRounds = TimeSpan.FromMilliseconds(500);

    /// <summary>More than a small journal has segments.</summary>
    private const int RestartsMax = 20;

    private readonly SortedDictionary<FaultKinds, long> _counts = [];
    private readonly SimulatedScheduler _scheduler;
    private readonly SimulatedNetwork _network;
    private readonly IReadOnlyList<SimulatedMachine> _machines;
    private readonly CampaignOptions _options;
    private readonly Oracle _oracle;
    private readonly Chronicle _chronicle;
    private readonly Prng _random;
    private readonly Prng _lostIndexes;
    private readonly Prng _lostCheckpoints;
    private readonly SortedSet<int> _rotted = [];
    private readonly SortedSet<int> _dying = [];
    private readonly List<(SimulatedMachine From, SimulatedMachine To)> _cuts = [];
    private int _storm;
    private bool _awaitsRound;
    private readonly LaptopOutings _laptops;
    private SimulatedMachine? _away;
    private SimulatedMachine? _forgetful;

    public FaultPlan(
        SimulatedScheduler scheduler, SimulatedNetwork network, IReadOnlyList<SimulatedMachine> machines,
        CampaignOptions options, Oracle oracle, Chronicle chronicle)
    {
        _scheduler = scheduler;
        _network = network;
        _machines = machines;
        _options = options;
        _oracle = oracle;
        _chronicle = chronicle;
        _laptops = new LaptopOutings(network, machines, options);
        _random = new Prng(options.Seed ^ 0xFA17);
        _lostIndexes = new Prng(options.Seed ^ 0x1DE);
        _lostCheckpoints = new Prng(options.Seed ^ 0xC4E);
    }

    /// <summary>Machines on whose disks bits turned over in this storm.</summary>
    public IReadOnlySet<int> Rotted => _rotted;

    /// <summary>How often a kind of fault happened; those of the network by what they did to datagrams.</summary>
    public long Count(FaultKinds kind) => !_options.Faults.HasFlag(kind) ? 0
        : kind == FaultKinds.Loss ? _network.DatagramsLost
        : kind == FaultKinds.Reorder ? _network.DatagramsOvertaken
        : kind == FaultKinds.Duplication ? _network.DatagramsDoubled
        : _counts.GetValueOrDefault(kind);

    /// <summary>Begins to break things.</summary>
    public void StartStorm()
    {
        _storm++;
        _rotted.Clear();
        _awaitsRound = false;
        _away = null;
        _forgetful = null;
        Plan(FaultKinds.Loss | FaultKinds.Delay | FaultKinds.Reorder | FaultKinds.Duplication, ChangeWeather);
        Plan(FaultKinds.Partition, Split);
        Plan(FaultKinds.OneWay, Deafen);
        Plan(FaultKinds.Crash, () => Kill(CrashKind.ProcessKilled));
        Plan(FaultKinds.Torn, () => Kill(CrashKind.PowerLost));
        Plan(FaultKinds.BitRot, Rot);
        Plan(FaultKinds.FullDisk, FillDisk);
        Plan(FaultKinds.Clock, MoveClock);
        Plan(FaultKinds.Forget, Forget);
        Plan(FaultKinds.Away, SendAway);
        Plan(FaultKinds.Laptops, TakeAlong);
        Plan(FaultKinds.Restarts, () => KillAgain(AnyMachine(), _random.Next(RestartsMax)));
        Plan(FaultKinds.Collect, () =>
        {
            if (!_awaitsRound)
            {
                _awaitsRound = true;
                CutRound();
            }
        });
    }

    /// <summary>Stops breaking things and mends what can be mended; machines that are down are switched on.</summary>
    public void EndStorm()
    {
        _storm++;
        _chronicle.Add("faults", "end: everything is mended");
        _network.Faults = NetworkFaults.None;
        _network.HealAll();
        _cuts.Clear();
        _laptops.End();
        foreach (SimulatedMachine machine in _machines)
        {
            if (_dying.Contains(machine.Number))
            {
                // Its disk may be dead already: a daemon does not outlive that.
                Down(machine, CrashKind.PowerLost);
            }

            machine.Disk.ForeignBytes = 0;
            machine.Disk.Faults.Clear();
            machine.Start();
        }
    }

    private void Plan(FaultKinds kinds, Action fault)
    {
        if ((_options.Faults & kinds) == 0)
        {
            return;
        }

        int storm = _storm;
        TimeSpan pause = TimeSpan.FromTicks((long)(-Math.Log(1 - _random.NextDouble()) * _options.FaultInterval.Ticks));
        _scheduler.After(pause, () =>
        {
            if (storm == _storm)
            {
                fault();
                Plan(kinds, fault);
            }
        });
    }

    /// <summary>Does something later in the same storm.</summary>
    private void Later(TimeSpan delay, Action action)
    {
        int storm = _storm;
        _scheduler.After(delay, () =>
        {
            if (storm == _storm)
            {
                action();
            }
        });
    }

    /// <summary>Notes that something of a kind was done.</summary>
    public void Happened(FaultKinds kind, string what)
    {
        _counts[kind] = _counts.GetValueOrDefault(kind) + 1;
        _chronicle.Add("faults", $"{FaultWords.Of(kind)}: {what}");
    }

    private TimeSpan Seconds(int least, int most) =>
        TimeSpan.FromMilliseconds((least * 1000) + _random.Next((most - least) * 1000));

    private SimulatedMachine AnyMachine() => _machines[_random.Next(_machines.Count)];

    private void ChangeWeather()
    {
        bool On(FaultKinds kind) => _options.Faults.HasFlag(kind) && _random.Chance(2);
        NetworkFaults weather = NetworkFaults.None;
        if (On(FaultKinds.Delay))
        {
            int least = _random.Next(80);
            weather = weather with
            {
                DelayMin = TimeSpan.FromMilliseconds(least),
                DelayMax = TimeSpan.FromMilliseconds(least + 1 + _random.Next(40)),
                BytesPerSecond = 100_000L << _random.Next(12),
            };
            Happened(FaultKinds.Delay, $"{weather.DelayMax.TotalMilliseconds:0} ms, {weather.BytesPerSecond} bytes/s");
        }

        weather = On(FaultKinds.Reorder)
            ? weather with { DelayMax = weather.DelayMax + TimeSpan.FromMilliseconds(_random.Next(1500)) }
            : weather;
        weather = On(FaultKinds.Loss) ? weather with { LossPerMille = 1 + _random.Next(150) } : weather;
        weather = On(FaultKinds.Duplication) ? weather with { DuplicatePerMille = 1 + _random.Next(200) } : weather;
        _network.Faults = weather;
    }

    private void Split()
    {
        SimulatedMachine[] shuffled = [.. _machines.OrderBy(_ => _random.NextUInt64())];
        int left = 1 + _random.Next(Math.Max(1, shuffled.Length - 1));
        Happened(FaultKinds.Partition, string.Join(", ", shuffled[..left].Select(machine => machine.Options.Name)));
        foreach (SimulatedMachine one in shuffled[..left])
        {
            foreach (SimulatedMachine other in shuffled[left..])
            {
                Cut(one, other);
                Cut(other, one);
            }
        }

        Later(Seconds(2, 900), Mend);
    }

    private void Deafen()
    {
        SimulatedMachine from = AnyMachine();
        SimulatedMachine to = AnyMachine();
        if (from != to)
        {
            Happened(FaultKinds.OneWay, $"{to.Options.Name} does not hear {from.Options.Name}");
            Cut(from, to);
            Later(Seconds(2, 900), Mend);
        }
    }

    private void Cut(SimulatedMachine from, SimulatedMachine to)
    {
        _cuts.Add((from, to));
        _network.CutOneWay(from.Address, to.Address);
    }

    private void Mend()
    {
        foreach ((SimulatedMachine from, SimulatedMachine to) in _cuts)
        {
            _network.Heal(from.Address, to.Address);
        }

        _cuts.Clear();
        _laptops.Cut();
        _chronicle.Add("faults", "all lines are mended");
    }

    private void Kill(CrashKind kind)
    {
        SimulatedMachine machine = AnyMachine();
        if (!MayGoDown(machine))
        {
            return;
        }

        if (kind == CrashKind.PowerLost && _random.Chance(2))
        {
            DieInWrite(machine);
        }
        else
        {
            Down(machine, kind);
        }
    }

    private bool MayGoDown(SimulatedMachine machine) =>
        machine.IsUp && _machines.Count(other => !other.IsUp) < Math.Max(1, _machines.Count / 2);

    /// <summary>In the middle of a write: the disk dies a few changes from now, the machine soon after.</summary>
    private void DieInWrite(SimulatedMachine machine)
    {
        _dying.Add(machine.Number);
        machine.Disk.Faults.DieAtChange = machine.Disk.Faults.ChangeCount + 1 + _random.Next(40);
        Later(Seconds(5, 60), () => Down(machine, CrashKind.PowerLost));
    }

    /// <summary>
    /// As soon as one condemned something, one that knows of it dies in what it writes next: marks, rescues, removals.
    /// </summary>
    private void CutRound()
    {
        SimulatedMachine[] busy =
            [.. _machines.Where(machine => MayGoDown(machine) && machine.Hosted is { Condemned.IsEmpty: false })];
        if (busy.Length == 0)
        {
            Later(LookForRounds, CutRound);
            return;
        }

        SimulatedMachine chosen = busy[_random.Next(busy.Length)];
        _awaitsRound = false;
        Happened(FaultKinds.Collect, chosen.Options.Name);
        DieInWrite(chosen);
    }

    private void Down(SimulatedMachine machine, CrashKind kind)
    {
        _dying.Remove(machine.Number);
        if (!machine.IsUp)
        {
            return;
        }

        Happened(kind == CrashKind.PowerLost ? FaultKinds.Torn : FaultKinds.Crash, machine.Options.Name);
        if (kind == CrashKind.PowerLost)
        {
            _oracle.PowerLost(machine.Number);
        }

        machine.Kill(kind);
        if (_options.Faults.HasFlag(FaultKinds.LostIndex) && _lostIndexes.Chance(4))
        {
            Happened(FaultKinds.LostIndex, machine.Options.Name);
            machine.LoseIndexes();
        }

        LoseCheckpoints(machine);

        TimeSpan off = _random.Next(20) switch
        {
            0 => Seconds(900, 3600),
            < 5 => Seconds(60, 900),
            _ => Seconds(1, 60),
        };
        SwitchOn(machine, off);
    }

    /// <summary>On one machine a storm: what all have lost nobody can give back.</summary>
    private void LoseCheckpoints(SimulatedMachine machine)
    {
        if (_options.Faults.HasFlag(FaultKinds.LostCheckpoints) && (_forgetful ?? machine) == machine
            && _lostCheckpoints.Chance(3))
        {
            _forgetful = machine;
            Happened(FaultKinds.LostCheckpoints, machine.Options.Name);
            machine.LoseIndexes();
            machine.LoseCheckpoints();
        }
    }

    /// <summary>It dies each time it has worked for a moment, in the middle of a write, and is started again.</summary>
    private void KillAgain(SimulatedMachine machine, int times)
    {
        if (times == 0 || !MayGoDown(machine))
        {
            return;
        }

        _dying.Add(machine.Number);
        machine.Disk.Faults.DieAtChange = machine.Disk.Faults.ChangeCount + 1 + _random.Next(100);
        Later(Seconds(1, 10), () =>
        {
            if (!machine.IsUp || !_dying.Remove(machine.Number))
            {
                return;
            }

            Happened(FaultKinds.Restarts, machine.Options.Name);
            machine.Kill(CrashKind.ProcessKilled);
            Later(Seconds(1, 3), () =>
            {
                if (_away != machine)
                {
                    machine.Start();
                    Later(Seconds(1, 20), () => KillAgain(machine, times - 1));
                }
            });
        });
    }

    /// <summary>After a time; one that was sent away meanwhile stays so.</summary>
    private void SwitchOn(SimulatedMachine machine, TimeSpan off) => Later(off, () =>
    {
        if (_away != machine)
        {
            machine.Start();
        }
    });

    /// <summary>One at a time: off for longer than the horizon, and back before the storm ends if it lasts long enough.</summary>
    private void SendAway()
    {
        SimulatedMachine machine = AnyMachine();
        if (_away is null && MayGoDown(machine))
        {
            Happened(FaultKinds.Away, machine.Options.Name);
            _away = machine;
            machine.Kill(CrashKind.ProcessKilled);
            Later(_options.Horizon * (1.2 + _random.NextDouble()), () =>
            {
                _away = null;
                machine.Start();
            });
        }
    }

    private void TakeAlong()
    {
        IReadOnlyList<SimulatedMachine> taken = _laptops.Begin();
        if (taken.Count > 0)
        {
            Happened(FaultKinds.Laptops, string.Join(", ", taken.Select(machine => machine.Options.Name)));
            Later(_laptops.Length(), _laptops.End);
        }
    }

    private void Rot()
    {
        SimulatedMachine machine = AnyMachine();
        bool owesNothing = machine.Hosted is { HasUnpublishedWrites: false } && machine.Status().IsSafe;
        if (!owesNothing)
        {
            return;
        }

        // Who is forgotten has no copy that counts: of a pool of two one alone may be safe, with the last copies there are.
        int most = Math.Min(machine.Nodes().Count(static node => node.Role != "forgotten"), 4) - 1;
        if (_rotted.Union([machine.Number]).Count() > most)
        {
            return;
        }

        string[] folders = [HomeLayout.PacksFolder, HomeLayout.LogsFolder, HomeLayout.JournalFolder];
        string folder = folders[_random.Next(folders.Length)];
        string[] files = [.. machine.Disk.Files.Where(path => path.StartsWith(folder + "/", StringComparison.Ordinal))];
        if (files.Length == 0)
        {
            return;
        }

        string file = files[_random.Next(files.Length)];
        if (machine.Disk.RotSomewhere(file, _random))
        {
            _rotted.Add(machine.Number);
            Happened(FaultKinds.BitRot, $"{machine.Options.Name} {file}");
        }
    }

    private void FillDisk()
    {
        SimulatedMachine machine = AnyMachine();
        Happened(FaultKinds.FullDisk, machine.Options.Name);
        machine.Disk.ForeignBytes = 1L << 50;
        Later(Seconds(5, 600), () => machine.Disk.ForeignBytes = 0);
    }

    /// <summary>One at a time, and only one that nobody can reach: what others hold is then theirs without it.</summary>
    private void Forget()
    {
        SimulatedMachine[] up = [.. _machines.Where(machine => machine.IsUp)];
        SimulatedMachine? away = up.Length == 0 ? null : _machines.FirstOrDefault(machine =>
            up.All(other => other == machine || Sees(other, machine) is { IsConnected: false }));
        SimulatedMachine? teller = up.FirstOrDefault(machine => machine != away);
        if (away is not null && teller is not null
            && !_machines.Any(machine => Sees(teller, machine) is { Role: "forgotten" }))
        {
            Happened(FaultKinds.Forget, $"{teller.Options.Name} forgets {away.Options.Name}");
            teller.Process.Start("forget", () => teller.Node!.ForgetNode(away.Options.Name, default).AsTask());
        }
    }

    /// <summary>Null while it does not know the other.</summary>
    private static NodeSummary? Sees(SimulatedMachine machine, SimulatedMachine other) =>
        machine.Nodes().FirstOrDefault(node => node.Node == other.Id);

    private void MoveClock()
    {
        SimulatedMachine machine = AnyMachine();
        machine.Process.ClockError = TimeSpan.FromHours(_random.Next(20 * 365 * 24) - (10 * 365 * 24));
        Happened(FaultKinds.Clock, $"{machine.Options.Name} {machine.Process.ClockError}");
    }
}
