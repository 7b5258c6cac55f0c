using System.Collections.Immutable;
using System.Text;
using Cairn.Core.Log;
using Cairn.Core.Membership;
using Cairn.Core.Primitives;
using Cairn.Core.Text;
using Cairn.Node.Control;

namespace Cairn.Node;

/// <content>Which person uses which machine. docs/decisions/conflict-rules.md.</content>
public sealed partial class CairnNode
{
    /// <inheritdoc/>
    public ValueTask<Result<Unit, ControlError>> AssignUser(
        string node, string user, CancellationToken cancellation) => ValueTask.FromResult(Assign(node, user));

    /// <inheritdoc/>
    public string UserOf(NodeId node) => _view.State.Users.GetValueOrDefault(node, string.Empty);

    private Result<Unit, ControlError> Assign(string node, string user)
    {
        if (!FindMember(node).TryGet(out Member? member, out ControlError error))
        {
            return error;
        }

        if (!_view.IsAdmin)
        {
            return NotAdmin("say who uses a machine");
        }

        if (user.Length > 0 && !GivenName.IsValid(user))
        {
            return new ControlError(ControlErrorKind.InvalidArgument, "A person's name " + GivenName.Rule);
        }

        // Where either may stand, as in `cairn rewind --by`, a name must mean one of them.
        if (_view.State.Members.Keys.Any(other => string.Equals(_view.NameOf(other), user, StringComparison.Ordinal)))
        {
            return new ControlError(
                ControlErrorKind.AlreadyExists, $"'{user}' is the name of a machine: call the person something else.");
        }

        return UserOf(member.Node) == user
            ? Unit.Value
            : Done(_poolLog.Append([new AssignUser(member.Node, Encoding.UTF8.GetBytes(user))]));
    }
}
