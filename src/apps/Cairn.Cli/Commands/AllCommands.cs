using System.CommandLine;

namespace Cairn.Cli.Commands;

/// <summary>The table of contents: every command, in the order <c>--help</c> shows them.</summary>
public static class AllCommands
{
    /// <summary>Builds them all.</summary>
    public static IReadOnlyList<Command> Create() =>
    [
        InitCommand.Create(),
        InviteCommand.Create(),
        EnterCommands.CreateJoin(),
        EnterCommands.CreateRecover(),
        UpCommand.Create(),
        DownCommand.Create(),
        LeaveCommand.Create(),
        LockCommands.CreateLock(),
        LockCommands.CreateUnlock(),
        StatusCommand.Create(),
        NodesCommand.CreateList(),
        NodesCommand.CreateVerbs(),
        SpaceCommand.Create(),
        LimitCommand.Create(),
        VolumeCommand.Create(),
        MountCommands.CreateMount(),
        MountCommands.CreateUnmount(),
        MountCommands.CreateList(),
        ListCommands.CreateList(),
        TransferCommands.CreatePut(),
        TransferCommands.CreateGet(),
        TransferCommands.CreateCat(),
        ChangeCommands.CreateMakeDirectory(),
        ChangeCommands.CreateRemove(),
        ChangeCommands.CreateMove(),
        ListCommands.CreateStat(),
        HistoryCommands.CreateLog(),
        DiffCommand.Create(),
        HistoryCommands.CreateRestore(),
        HistoryCommands.CreateUndelete(),
        HistoryCommands.CreateTrash(),
        SnapshotCommands.Create(),
        SnapshotCommands.CreateRewind(),
        BrakeCommands.Create(),
        WhoCommand.Create(),
        ConflictCommands.CreateList(),
        ConflictCommands.CreateResolve(),
        RuleCommands.Create(),
        SafeCommand.Create(),
        WaitCommand.Create(),
        EvacuateCommand.Create(),
        PinCommands.CreatePin(),
        PinCommands.CreateUnpin(),
        PinCommands.CreateFree(),
        WatchCommand.Create(),
        LogsCommand.Create(),
        DemoCommand.Create(),
        SimulateCommand.Create(),
        CompletionCommand.Create(),
    ];
}
