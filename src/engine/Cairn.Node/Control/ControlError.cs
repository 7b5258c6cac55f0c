namespace Cairn.Node.Control;

/// <summary>Why an owner's command could not be carried out.</summary>
public enum ControlErrorKind
{
    /// <summary>There is no volume, node or path of that name. Retrying does not help.</summary>
    NotFound,

    /// <summary>The name is taken, or the home already belongs to a pool.</summary>
    AlreadyExists,

    /// <summary>The command's words make no sense, here or on any machine: a bad name, size or rule.</summary>
    InvalidArgument,

    /// <summary>
    /// The words make sense, but not as things are: the last admin would leave, a clone needs it. The message says what to do first.
    /// </summary>
    Unsuitable,

    /// <summary>The invite or the recovery kit is truncated or garbled: a typing mistake.</summary>
    InviteGarbled,

    /// <summary>The invite is over its ten minutes. Helps: a new one.</summary>
    InviteExpired,

    /// <summary>The invite was used, withdrawn after five attempts, or never existed. Helps: a new one.</summary>
    InviteRefused,

    /// <summary>Only an admin may do this.</summary>
    NotPermitted,

    /// <summary>No node that is needed can be reached now. Retrying may help.</summary>
    Unreachable,

    /// <summary>
    /// A node that was asked for something did not answer, so it may have done it. Retrying as the same machine may help.
    /// </summary>
    Unanswered,

    /// <summary>This node was revoked, or is not a member any more.</summary>
    NotMember,

    /// <summary>The keys are sealed. Helps: cairn unlock.</summary>
    Locked,

    /// <summary>There is not enough space for it.</summary>
    NoSpace,

    /// <summary>This node's disk or home is unusable; the message says which file.</summary>
    Storage,

    /// <summary>The daemon is stopping.</summary>
    Stopping,
}

/// <summary>A command's failure.</summary>
/// <param name="Kind">The closed set that exit codes follow.</param>
/// <param name="Message">What, where, and what to do: a sentence for people.</param>
public readonly record struct ControlError(ControlErrorKind Kind, string Message)
{
    /// <inheritdoc/>
    public override string ToString() => Message;
}
