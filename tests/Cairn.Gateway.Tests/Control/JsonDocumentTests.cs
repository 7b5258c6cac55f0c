using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using Cairn.Gateway.Control;
using Cairn.Node.Control;
using Cairn.Node.Volumes;

namespace Cairn.Gateway.Tests.Control;

/// <summary>docs/operations/json.md says what <c>--json</c> prints, member by member.</summary>
public sealed partial class JsonDocumentTests
{
    public static TheoryData<Type> Documented => new()
    {
        typeof(NodeStatus), typeof(SpaceStatus), typeof(OwedStatus), typeof(PoolStatus), typeof(NodeProblem), typeof(VolumeSummary),
        typeof(BandwidthLimit), typeof(NodeSummary), typeof(MountSummary), typeof(EntrySummary), typeof(SafetyReport),
        typeof(HolderSummary), typeof(ProgressLine), typeof(SafetyProgress), typeof(LogLine), typeof(InviteTicket),
        typeof(FoundedPool), typeof(JoinedPool), typeof(VersionSummary), typeof(TrashSummary), typeof(ConflictSummary),
        typeof(ConflictSideSummary), typeof(RuleSummary), typeof(OnlyHereStatus), typeof(PinSummary),
        typeof(FreeReport), typeof(ChangeSummary),
        typeof(VolumeSnapshot), typeof(PastDifference), typeof(RestoreOutcome),
        typeof(ScheduleSummary), typeof(OpenFile), typeof(BrakedMember),
    };

    [Theory]
    [MemberData(nameof(Documented))]
    public void The_document_lists_exactly_the_members(Type type)
    {
        string document = File.ReadAllText(Path.Combine(Root(), "docs/operations/json.md"));
        int start = document.IndexOf($"\n## {type.Name}\n", StringComparison.Ordinal);
        Assert.True(start >= 0, $"{type.Name} is not in the document");
        int end = document.IndexOf("\n## ", start + 1, StringComparison.Ordinal);
        string section = document[start..(end < 0 ? document.Length : end)];
        string[] documented = [.. MemberRow().Matches(section).Select(match => match.Groups[1].Value)];
        JsonTypeInfo info = JsonSerializerOptions.Web.GetTypeInfo(type);
        JsonTypeInfo generated = ControlJson.Default.GetTypeInfo(type) ?? info;
        Assert.Equal(generated.Properties.Select(property => property.Name).Order(), documented.Order());
    }

    private static string Root()
    {
        string folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Cairn.slnx")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("not in the repository");
        }

        return folder;
    }

    [GeneratedRegex(@"^\| `(\w+)` \|", RegexOptions.Multiline)]
    private static partial Regex MemberRow();
}
