using System.Reflection;
using System.Runtime.InteropServices;
using Cairn.Fuse.Session;

namespace Cairn.Fuse.Tests;

/// <summary>The structures have the sizes of the kernel's header (include/uapi/linux/fuse.h, 7.45).</summary>
public sealed class AbiTests
{
    /// <summary>sizeof() of the C structure.</summary>
    public static TheoryData<string, int> Sizes => new()
    {
        { "FuseInHeader", 40 },
        { "FuseOutHeader", 16 },
        { "FuseInitIn", 64 },
        { "FuseInitOut", 64 },
        { "FuseInterruptIn", 8 },
        { "FuseNotifyInvalidateInode", 24 },
        { "FuseNotifyInvalidateEntry", 16 },
        { "FuseAttr", 88 },
        { "FuseEntryOut", 128 },
        { "FuseAttrOut", 104 },
        { "FuseSetAttrIn", 88 },
        { "FuseMkNodIn", 16 },
        { "FuseMkDirIn", 8 },
        { "FuseRename2In", 16 },
        { "FuseNodeIdIn", 8 },
        { "FuseSetXAttrIn", 8 },
        { "FuseGetXAttrIn", 8 },
        { "FuseGetXAttrOut", 8 },
        { "FuseStatFsOut", 80 },
        { "FuseDirent", 24 },
        { "FuseOpenIn", 8 },
        { "FuseOpenOut", 16 },
        { "FuseCreateIn", 16 },
        { "FuseCreateOut", 144 },
        { "FuseReadIn", 40 },
        { "FuseWriteIn", 40 },
        { "FuseWriteOut", 8 },
        { "FuseReleaseIn", 24 },
        { "FuseFlushIn", 24 },
        { "FuseFSyncIn", 16 },
        { "FuseFileLock", 24 },
        { "FuseLockIn", 48 },
        { "FuseFAllocateIn", 32 },
        { "FuseLSeekIn", 24 },
        { "FuseOffsetOut", 8 },
        { "FuseCopyFileRangeIn", 56 },
    };

    private static IEnumerable<Type> Structures => typeof(FuseSession).Assembly.GetTypes().Where(
        t => t is { IsValueType: true, IsEnum: false, Namespace: "Cairn.Fuse.Abi" } && t.GetField("Size") is not null);

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Structure_HasTheKernelsSize(string name, int size)
    {
        Type type = Structures.Single(t => t.Name == name);
        Assert.Equal(size, Marshal.SizeOf(type));
        Assert.Equal(size, type.GetField("Size", BindingFlags.Public | BindingFlags.Static)!.GetRawConstantValue());
    }

    [Fact]
    public void EveryStructure_IsListed() =>
        Assert.Equal(
            Structures.Select(t => t.Name).Order(StringComparer.Ordinal),
            Sizes.Select(row => row.Data.Item1).Order(StringComparer.Ordinal));
}
