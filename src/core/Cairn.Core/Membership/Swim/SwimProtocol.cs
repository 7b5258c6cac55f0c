using System.Buffers;
using Cairn.Core.Primitives;

namespace Cairn.Core.Membership.Swim;

/// <summary>
/// Finds out which members are up: SWIM with suspicion, and Lifeguard's care for a node that is itself unwell.
/// </summary>
/// <remarks>
/// Sources: SWIM (Das, Gupta, Motivala, 2002), sections 3 to 4.3; Lifeguard (Dadgar, Phillips, Currey, 2018): local
/// health, nacks, suspicion that shortens as others confirm it, and telling a suspect at once. Two departures: members
/// come from the pool map, not from gossip; and dead members are still tried from time to time, because a healed
/// partition has nobody else to notice it.
/// Invariants: nobody but a member raises its own incarnation; a claim with a lower incarnation never wins; a message
/// is never longer than <see cref="SwimOptions.MessageBytesMax"/>.
/// Thread: driver only.
/// </remarks>
public sealed class SwimProtocol
{
    /// <summary>How far beyond what is known hearsay may be: a member refutes one doubt at a time.</summary>
    private const ulong JumpMax = 1024;

    private const int GreetingsMax = 5;
    private const int UnansweredMin = 3;
    private const int GreetingsPerTick = 16;

    private readonly SwimOptions _options;
    private readonly Prng _prng;
    private readonly SwimNews _news = new();
    private readonly SwimMembers _members;
    private readonly SwimProbes _probes = new();
    private readonly List<SwimUpdate> _outgoing = [];
    private readonly ArrayBufferWriter<byte> _buffer = new(1200);
    private ISwimEffects _effects = NoEffects.Instance;
    private uint _seq;
    private int _health;
    private int _unanswered;
    private bool _isLeaving;
    private long _nextProbeMs = long.MinValue;
    private long _nextGossipMs = long.MinValue;
    private long _nextDeadProbeMs = long.MinValue;

    /// <summary>Starts with no members.</summary>
    /// <param name="self">This node.</param>
    /// <param name="options">Valid options.</param>
    /// <param name="seed">Chooses targets; a different one per node and start.</param>
    public SwimProtocol(NodeId self, SwimOptions options, ulong seed)
    {
        Invariant.That(options.Validate().Count == 0, $"{string.Join("; ", options.Validate())}");
        Self = self;
        _options = options;
        _prng = new Prng(seed);
        _members = new SwimMembers(options);
    }

    /// <summary>This node.</summary>
    public NodeId Self { get; }

    /// <summary>How often this node refuted being dead.</summary>
    public ulong Incarnation { get; private set; }

    /// <summary>0 when this node keeps up; higher when it seems to be the slow one itself.</summary>
    public int Health => _health;

    /// <summary>Whether nothing came from anybody though several were probed: it is this node that is cut off, or all others.</summary>
    /// <remarks>
    /// Known after some twelve seconds. That each of them is dead is not: one after the other is probed, and ever more slowly.
    /// </remarks>
    public bool HearsNobody => _unanswered >= UnansweredMin;

    /// <summary>What is thought of a member; unknown ones are dead.</summary>
    public Liveness StatusOf(NodeId node) => _members.Find(node)?.Status ?? Liveness.Dead;

    /// <summary>Takes one input and says what to do about it.</summary>
    public void Step(in SwimInput input, ISwimEffects effects)
    {
        _effects = effects;
        switch (input.Kind)
        {
            case SwimInputKind.Tick:
                OnTick(input.NowMs);
                break;
            case SwimInputKind.Message:
                OnMessage(input.Node, input.Bytes.Span, input.NowMs);
                break;
            case SwimInputKind.MemberAdded when input.Node != Self:
                _members.Add(input.Node, input.NowMs);
                break;
            case SwimInputKind.MemberRemoved:
                _members.Remove(input.Node);
                _news.Forget(input.Node);
                break;
            case SwimInputKind.Leave:
                SayGoodbye();
                break;
            case SwimInputKind.MemberAdded:
            default:
                break;
        }

        _effects = NoEffects.Instance;
    }

    /// <summary>When the next tick has something to do, if nothing else is put in before; it may be in the past.</summary>
    /// <remarks>So that a driver can sleep: a pool at rest has something to do twice a second, not at every tick.</remarks>
    public long NextDueMs
    {
        get
        {
            long dueMs = Math.Min(_nextProbeMs, _probes.NextDueMs);
            dueMs = _news.IsEmpty ? dueMs : Math.Min(dueMs, _nextGossipMs);
            foreach (SwimMember member in _members.All)
            {
                dueMs = Math.Min(dueMs, DueMs(member));
            }

            return dueMs;
        }
    }

    private int TransmitsMax =>
        _options.RetransmitFactor
            * Math.Max(1, (System.Numerics.BitOperations.Log2((uint)_members.Count + 1) * 301 + 999) / 1000);

    private long Stretched(long ms) => ms * (1 + _health);

    private void OnTick(long nowMs)
    {
        if (_nextProbeMs == long.MinValue)
        {
            // Nodes that start together must not probe in step.
            _nextProbeMs = nowMs + _prng.Next((int)_options.ProbeIntervalMs);
            _nextGossipMs = nowMs;
            _nextDeadProbeMs = nowMs + _options.DeadProbeIntervalMs;
        }

        Greet(nowMs);
        CheckProbe(nowMs);
        CheckRelays(nowMs);
        CheckSuspicions(nowMs);
        if (nowMs >= _nextProbeMs)
        {
            _nextProbeMs = nowMs + Stretched(_options.ProbeIntervalMs);
            StartProbe(nowMs);
        }

        if (nowMs >= _nextDeadProbeMs)
        {
            _nextDeadProbeMs = nowMs + _options.DeadProbeIntervalMs;
            ProbeDead();
        }

        if (nowMs >= _nextGossipMs)
        {
            _nextGossipMs = nowMs + _options.GossipIntervalMs;
            SpreadNews();
        }
    }

    /// <summary>Pings members of whom nothing was heard since the start, a few at a time.</summary>
    private void Greet(long nowMs)
    {
        int budget = GreetingsPerTick;
        foreach (SwimMember member in _members.All)
        {
            if (budget > 0 && !member.IsHeard && member.Greetings < GreetingsMax && nowMs >= member.GreetAtMs)
            {
                budget--;
                member.Greetings++;
                member.GreetAtMs = nowMs + _options.ProbeTimeoutMs;
                Send(member.Node, SwimMessageKind.Ping, ++_seq);
            }
        }
    }

    private long DueMs(SwimMember member)
    {
        long greetMs = !member.IsHeard && member.Greetings < GreetingsMax ? member.GreetAtMs : long.MaxValue;
        return Math.Min(greetMs, member.Status switch
        {
            Liveness.Suspect => _members.SuspicionEndsMs(member),
            Liveness.Dead => _nextDeadProbeMs,
            Liveness.Alive => long.MaxValue,
            _ => throw new System.Diagnostics.UnreachableException(),
        });
    }

    private void StartProbe(long nowMs)
    {
        SwimMember? target = _members.NextToProbe(_prng);
        if (target is null)
        {
            return;
        }

        _seq++;
        _probes.Start(new SwimProbe(target.Node, _seq)
        {
            IndirectAtMs = nowMs + Math.Min(Stretched(_options.ProbeTimeoutMs), _nextProbeMs - nowMs),
            FailsAtMs = _nextProbeMs,
        });
        Send(target.Node, SwimMessageKind.Ping, _seq);
    }

    /// <summary>
    /// SWIM, section 3.1: no direct answer, so others are asked; no answer by the end of the period, so it is
    /// suspected.
    /// </summary>
    private void CheckProbe(long nowMs)
    {
        SwimProbe? probe = _probes.Current;
        if (probe is not null && !probe.IsIndirect && nowMs >= probe.IndirectAtMs)
        {
            probe.IsIndirect = true;
            foreach (SwimMember relay in _members.Pick(_prng, _options.IndirectProbes, probe.Target))
            {
                probe.NacksExpected++;
                Send(relay.Node, SwimMessageKind.PingRequest, probe.Seq, probe.Target);
            }
        }

        if (probe is null || nowMs < probe.FailsAtMs)
        {
            return;
        }

        _probes.Stop();
        _unanswered++;

        // Lifeguard: relays that are well answer with a nack; their silence says that it is this node that is cut off.
        AddHealth(probe.NacksExpected == 0 ? 1 : probe.NacksExpected - probe.NacksReceived);
        SwimMember? member = _members.Find(probe.Target);
        if (member is not null && member.Status != Liveness.Dead)
        {
            Learn(new SwimUpdate(Liveness.Suspect, member.Node, member.Incarnation, Self), nowMs);
        }
    }

    private void CheckRelays(long nowMs)
    {
        foreach (SwimRelay relay in _probes.TakeOverdueRelays(nowMs))
        {
            Send(relay.Asker, SwimMessageKind.Nack, relay.AskerSeq);
        }
    }

    private void CheckSuspicions(long nowMs)
    {
        foreach (SwimMember member in _members.All)
        {
            if (member.Status == Liveness.Suspect && nowMs >= _members.SuspicionEndsMs(member))
            {
                Learn(new SwimUpdate(Liveness.Dead, member.Node, member.Incarnation, Self), nowMs);
            }
        }
    }

    private void ProbeDead()
    {
        SwimMember? dead = _members.PickDead(_prng);
        if (dead is not null)
        {
            Send(dead.Node, SwimMessageKind.Ping, ++_seq);
        }
    }

    private void SpreadNews()
    {
        if (_news.IsEmpty)
        {
            return;
        }

        foreach (SwimMember member in _members.Pick(_prng, _options.GossipFanout, Self))
        {
            Send(member.Node, SwimMessageKind.Gossip, 0);
        }
    }

    private void SayGoodbye()
    {
        _isLeaving = true;
        _news.Add(new SwimUpdate(Liveness.Dead, Self, Incarnation, Self));
        foreach (SwimMember member in _members.Pick(_prng, GreetingsPerTick, Self))
        {
            Send(member.Node, SwimMessageKind.Gossip, 0);
        }
    }

    private void OnMessage(NodeId from, ReadOnlySpan<byte> bytes, long nowMs)
    {
        SwimMember? sender = _members.Find(from);
        if (sender is null)
        {
            return;
        }

        if (!SwimMessage.TryRead(bytes, out SwimMessage message))
        {
            _effects.BadMessage(from);
            return;
        }

        _unanswered = 0;
        if (!sender.IsHeard)
        {
            Learn(new SwimUpdate(Liveness.Alive, from, sender.Incarnation, default), nowMs);
        }

        // A sender that is thought dead or suspect is told so with whatever is sent back, and refutes.
        bool wasDoubted = sender.Status != Liveness.Alive;
        foreach (SwimUpdate update in message.Updates)
        {
            if (update.Node == from && update.Status == Liveness.Alive)
            {
                HearOwnWord(sender, update, nowMs);
            }
            else if (!IsFarFetched(update))
            {
                Learn(update, nowMs);
            }
        }

        switch (message.Kind)
        {
            case SwimMessageKind.Ping:
                Send(from, SwimMessageKind.Ack, message.Seq);
                break;
            case SwimMessageKind.PingRequest:
                OnPingRequest(from, message, nowMs);
                break;
            case SwimMessageKind.Ack:
                OnAck(from, message.Seq);
                break;
            case SwimMessageKind.Nack:
                _probes.CountNack(message.Seq);
                break;
            case SwimMessageKind.Gossip when wasDoubted && sender.Status != Liveness.Alive:
                Send(from, SwimMessageKind.Gossip, 0);
                break;
            case SwimMessageKind.Gossip:
            default:
                break;
        }
    }

    private void OnPingRequest(NodeId from, SwimMessage message, long nowMs)
    {
        if (message.Target == Self)
        {
            Send(from, SwimMessageKind.Ack, message.Seq);
        }
        else if (_members.Find(message.Target) is not null)
        {
            _seq++;
            _probes.AddRelay(new SwimRelay(_seq, from, message.Seq, nowMs + (_options.ProbeTimeoutMs * 8 / 10)));
            Send(message.Target, SwimMessageKind.Ping, _seq);
        }
    }

    private void OnAck(NodeId from, uint seq)
    {
        if (_probes.Current is { } probe && probe.Seq == seq)
        {
            _probes.Stop();
            AddHealth(-1);
        }
        else if (_probes.TryTakeRelay(seq, out SwimRelay relay))
        {
            Send(relay.Asker, SwimMessageKind.Ack, relay.AskerSeq);
        }
    }

    /// <summary>
    /// Whether somebody says more of another's incarnation than can be: whoever made up the highest of all would have the last
    /// word about it for ever.
    /// </summary>
    private bool IsFarFetched(SwimUpdate update) => update.Node != Self
        && _members.Find(update.Node) is { } member
        && update.Incarnation > JumpMax && update.Incarnation - JumpMax > member.Incarnation;

    /// <summary>
    /// A member alone says how often it refuted; less by far than is thought here, and that was made up, or it began anew.
    /// </summary>
    private void HearOwnWord(SwimMember sender, SwimUpdate update, long nowMs)
    {
        if (sender.Incarnation > JumpMax && sender.Incarnation - JumpMax > update.Incarnation)
        {
            sender.Incarnation = update.Incarnation;
            sender.IsHeard = false;
        }

        Learn(update, nowMs);
    }

    /// <summary>
    /// SWIM, section 4.2, and Lifeguard: takes a claim if it is newer than the view, and passes it on.
    /// </summary>
    private void Learn(SwimUpdate update, long nowMs)
    {
        if (update.Node == Self)
        {
            Refute(update);
            return;
        }

        SwimMember? member = _members.Find(update.Node);
        if (member is null || !SwimMembers.Take(member, update, nowMs, out bool statusChanged))
        {
            return;
        }

        _news.Add(update);
        if (statusChanged)
        {
            _effects.StatusChanged(member.Node, member.Status);
        }
    }

    private void Refute(SwimUpdate update)
    {
        bool isAhead = update.Incarnation > Incarnation;
        bool isDoubt = update.Status != Liveness.Alive;
        if (_isLeaving || (!isAhead && !isDoubt))
        {
            return;
        }

        bool isMadeUp = update.Incarnation > JumpMax && update.Incarnation - JumpMax > Incarnation;
        if (update.Incarnation < Incarnation || isMadeUp)
        {
            // Refuted already, but whoever says it missed that; the answer it gets carries the refutation once more.
            // What can never be overtaken is not either: this node's own word is enough.
            _news.Add(new SwimUpdate(Liveness.Alive, Self, Incarnation, default));
            return;
        }

        // A claim of being alive with a higher count is from before a restart; it is overtaken, too.
        Incarnation = update.Incarnation + 1;
        AddHealth(isDoubt ? 1 : 0);
        _news.Add(new SwimUpdate(Liveness.Alive, Self, Incarnation, default));
        SpreadNews();
    }

    private void AddHealth(int points) => _health = Math.Clamp(_health + points, 0, _options.HealthMax);

    private void Send(NodeId to, SwimMessageKind kind, uint seq, NodeId target = default)
    {
        _outgoing.Clear();
        if (_members.Find(to) is { IsHeard: true } member && member.Status != Liveness.Alive)
        {
            _outgoing.Add(member.Claim);
        }

        int countMax = (_options.MessageBytesMax - SwimMessage.HeadBytesMax) / SwimUpdate.BytesMax;
        _news.Take(_outgoing, countMax, TransmitsMax);
        _buffer.ResetWrittenCount();
        new SwimMessage(kind, seq, target, _outgoing).Write(_buffer);
        Invariant.That(_buffer.WrittenCount <= _options.MessageBytesMax, $"a message of {_buffer.WrittenCount} bytes");
        _effects.Send(to, _buffer.WrittenSpan);
    }

    private sealed class NoEffects : ISwimEffects
    {
        public static readonly NoEffects Instance = new();

        public void Send(NodeId to, ReadOnlySpan<byte> bytes) => Invariant.Fail("an effect outside of a step");

        public void StatusChanged(NodeId node, Liveness status) => Invariant.Fail("an effect outside of a step");

        public void BadMessage(NodeId from) => Invariant.Fail("an effect outside of a step");
    }
}
