namespace Cairn.Fuse.Tests;

/// <summary>Numbers of requests, as a test of the session writes and counts them (include/uapi/linux/fuse.h).</summary>
internal static class Opcodes
{
    public const int Lookup = 1;
    public const int Forget = 2;
    public const int GetAttr = 3;
    public const int SetAttr = 4;
    public const int Open = 14;
    public const int ReadOp = 15;
    public const int WriteOp = 16;
    public const int Release = 18;
    public const int Flush = 25;
    public const int Init = 26;
    public const int SetLkW = 33;
    public const int Create = 35;
    public const int Interrupt = 36;
    public const int ReadDirectoryPlus = 44;
}
