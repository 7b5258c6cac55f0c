namespace Cairn.Core.Membership;

/// <summary>What whoever redeems an invite becomes.</summary>
/// <param name="Role">What it may do in the pool.</param>
/// <param name="IsReadOnly">Whether it may only read the volumes.</param>
public readonly record struct InviteTerms(MemberRole Role, bool IsReadOnly = false);
