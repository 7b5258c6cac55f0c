namespace Cairn.Io.FuseDevice;

/// <summary>For how long the next request is looked for before its reader sleeps: for as long as requests come soon.</summary>
/// <remarks>
/// Starts at nothing. A wait that ends soon doubles it, one that does not halves it, so that it costs nothing where requests
/// are rare. Source of the rule: the halt polling of KVM (Documentation/virt/kvm/halt-polling.rst).
/// </remarks>
internal struct PollWindow
{
    /// <summary>The shortest that is worth a look.</summary>
    internal static readonly TimeSpan Min = TimeSpan.FromMicroseconds(25);

    /// <summary>The longest.</summary>
    internal static readonly TimeSpan Max = TimeSpan.FromMicroseconds(200);

    /// <summary>
    /// What counts as soon. More than <see cref="Max"/>: while all sleep, a wait has the waking of two processors in it, which is what
    /// looking saves.
    /// </summary>
    internal static readonly TimeSpan Soon = TimeSpan.FromMicroseconds(500);

    /// <summary>How long to look; nothing for not at all.</summary>
    internal TimeSpan Length { get; private set; }

    /// <summary>A request came after a wait, most of it asleep.</summary>
    internal void Waited(TimeSpan time)
    {
        TimeSpan length = time <= Soon ? 2 * Length : Length / 2;
        Length = length > Max ? Max
            : length >= Min ? length
            : time <= Soon ? Min : TimeSpan.Zero;
    }
}
