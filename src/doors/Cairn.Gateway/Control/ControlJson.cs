using System.Text.Json;
using System.Text.Json.Serialization;
using Cairn.Core.Primitives;
using Cairn.Node.Control;
using Cairn.Node.Volumes;

namespace Cairn.Gateway.Control;

/// <summary>The JSON of the control socket and of <c>--json</c>: schema in docs/operations/json.md.</summary>
/// <remarks>Ids are hexadecimal strings, sizes whole bytes, times RFC 3339, durations seconds.</remarks>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UseStringEnumConverter = true,
    Converters =
    [
        typeof(NodeIdConverter), typeof(PoolIdConverter), typeof(VolumeIdConverter), typeof(VersionIdConverter),
        typeof(WallTimeConverter), typeof(DurationConverter),
    ])]
[JsonSerializable(typeof(NodeStatus))]
[JsonSerializable(typeof(IReadOnlyList<NodeSummary>))]
[JsonSerializable(typeof(InviteTicket))]
[JsonSerializable(typeof(FoundedPool))]
[JsonSerializable(typeof(JoinedPool))]
[JsonSerializable(typeof(SafetyReport))]
[JsonSerializable(typeof(SafetyProgress))]
[JsonSerializable(typeof(SpaceStatus))]
[JsonSerializable(typeof(BandwidthLimit))]
[JsonSerializable(typeof(VolumeSummary))]
[JsonSerializable(typeof(IReadOnlyList<VolumeSummary>))]
[JsonSerializable(typeof(IReadOnlyList<FolderWriters>))]
[JsonSerializable(typeof(IReadOnlyList<LogLine>))]
[JsonSerializable(typeof(LogLine))]
[JsonSerializable(typeof(MountSummary))]
[JsonSerializable(typeof(IReadOnlyList<MountSummary>))]
[JsonSerializable(typeof(EntrySummary))]
[JsonSerializable(typeof(IReadOnlyList<EntrySummary>))]
[JsonSerializable(typeof(IReadOnlyList<BrakedMember>))]
[JsonSerializable(typeof(IReadOnlyList<OpenFile>))]
[JsonSerializable(typeof(IReadOnlyList<VersionSummary>))]
[JsonSerializable(typeof(IReadOnlyList<TrashSummary>))]
[JsonSerializable(typeof(IReadOnlyList<ConflictSummary>))]
[JsonSerializable(typeof(RuleSummary))]
[JsonSerializable(typeof(IReadOnlyList<PinSummary>))]
[JsonSerializable(typeof(FreeReport))]
[JsonSerializable(typeof(VolumeSnapshot))]
[JsonSerializable(typeof(IReadOnlyList<VolumeSnapshot>))]
[JsonSerializable(typeof(IReadOnlyList<PastDifference>))]
[JsonSerializable(typeof(RestoreOutcome))]
[JsonSerializable(typeof(ScheduleSummary))]
[JsonSerializable(typeof(ChangePage))]
[JsonSerializable(typeof(ChangeSummary))]
[JsonSerializable(typeof(ProgressLine))]
public sealed partial class ControlJson : JsonSerializerContext;

/// <summary>One line of a progress stream: a step, or the error that ended it.</summary>
/// <param name="Progress">The step; null when it failed.</param>
/// <param name="Error">Why it failed; null while it goes on.</param>
/// <param name="ErrorKind">The error's kind.</param>
public sealed record ProgressLine(SafetyProgress? Progress, string? Error, ControlErrorKind? ErrorKind);

/// <summary>Writes a <see cref="NodeId"/> as hexadecimal.</summary>
public sealed class NodeIdConverter : IdConverter<NodeId>
{
    /// <inheritdoc/>
    protected override bool TryParse(string text, out NodeId id) => NodeId.TryParse(text, out id);
}

/// <summary>Writes a <see cref="PoolId"/> as hexadecimal.</summary>
public sealed class PoolIdConverter : IdConverter<PoolId>
{
    /// <inheritdoc/>
    protected override bool TryParse(string text, out PoolId id) => PoolId.TryParse(text, out id);
}

/// <summary>Writes a <see cref="VolumeId"/> as hexadecimal.</summary>
public sealed class VolumeIdConverter : IdConverter<VolumeId>
{
    /// <inheritdoc/>
    protected override bool TryParse(string text, out VolumeId id) => VolumeId.TryParse(text, out id);
}

/// <summary>Writes a <see cref="VersionId"/> as hexadecimal.</summary>
public sealed class VersionIdConverter : IdConverter<VersionId>
{
    /// <inheritdoc/>
    protected override bool TryParse(string text, out VersionId id) => VersionId.TryParse(text, out id);
}

/// <summary>An id as a string.</summary>
/// <typeparam name="T">The id.</typeparam>
public abstract class IdConverter<T> : JsonConverter<T>
    where T : struct
{
    /// <inheritdoc/>
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        TryParse(reader.GetString() ?? string.Empty, out T id) ? id : throw new JsonException("not an id");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());

    /// <summary>Parses what <c>ToString</c> prints.</summary>
    protected abstract bool TryParse(string text, out T id);
}

/// <summary>A claim about the time of day, as RFC 3339 in UTC.</summary>
public sealed class WallTimeConverter : JsonConverter<WallTime>
{
    /// <inheritdoc/>
    public override WallTime Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        WallTime.From(reader.GetDateTimeOffset());

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, WallTime value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}

/// <summary>A duration as seconds.</summary>
public sealed class DurationConverter : JsonConverter<TimeSpan>
{
    /// <inheritdoc/>
    public override TimeSpan Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        TimeSpan.FromSeconds(reader.GetDouble());

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, TimeSpan value, JsonSerializerOptions options) =>
        writer.WriteNumberValue(value.TotalSeconds);
}
