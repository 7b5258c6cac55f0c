using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cairn.Cli.Daemon;

/// <summary>A node's settings, as kept in <c>config.json</c>; every member has a sensible default.</summary>
public sealed record HomeConfig
{
    /// <summary>Drives and space change on threads of their own: neither change may undo the other.</summary>
    private static readonly Lock Changing = new();

    /// <summary>The name shown to people; the host's name by default.</summary>
    public string Name { get; init; } = Environment.MachineName;

    /// <summary>Bytes given to the pool.</summary>
    public long SpaceBytes { get; init; } = 10L << 30;

    /// <summary>Address and port to listen on; port 0 lets the system choose.</summary>
    public string Listen { get; init; } = "0.0.0.0:7866";

    /// <summary>Where this machine stands (a room, a site): copies are spread over zones.</summary>
    public string Zone { get; init; } = string.Empty;

    /// <summary>
    /// Where others find this node, host:port, the likeliest first: what a router forwards to it. None: where it listens.
    /// </summary>
    public IReadOnlyList<string> Addresses { get; init; } = [];

    /// <summary>Addresses of other nodes, host:port, for networks without multicast.</summary>
    public IReadOnlyList<string> Peers { get; init; } = [];

    /// <summary>Seconds a node may be away before its copies are remade.</summary>
    public int RepairGraceSeconds { get; init; } = 15 * 60;

    /// <summary>Days a node may be away before it is forgotten, until it is back.</summary>
    public int HorizonDays { get; init; } = 90;

    /// <summary>Seconds that a read of what is not here waits for a node that has it; 0 fails at once.</summary>
    public int WaitReadsSeconds { get; init; }

    /// <summary>Whether to announce and discover by multicast on the local network.</summary>
    public bool Announce { get; init; } = true;

    /// <summary>Drives to mount whenever the daemon starts.</summary>
    public IReadOnlyList<MountConfig> Mounts { get; init; } = [];

    /// <summary>Reads a home's settings.</summary>
    /// <exception cref="CommandException">They cannot be read; the message names the file and the place in it.</exception>
    public static HomeConfig Load(string home)
    {
        string path = HomeFolder.Config(home);
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), HomeConfigJson.Default.HomeConfig)
                ?? throw new CommandException($"{path} is empty");
        }
        catch (JsonException error)
        {
            throw new CommandException($"{path} is not valid: {error.Message}", error);
        }
        catch (IOException error)
        {
            throw new CommandException($"there is no node in {home}: run 'cairn init' or 'cairn join'", error);
        }
    }

    /// <summary>Reads, changes and replaces a home's settings.</summary>
    /// <exception cref="CommandException">They cannot be read.</exception>
    public static void Change(string home, Func<HomeConfig, HomeConfig> change)
    {
        lock (Changing)
        {
            change(Load(home)).Save(home);
        }
    }

    /// <summary>As <see cref="Change"/>, for a daemon, which goes on without: says why it could not be, or null.</summary>
    public static string? TryChange(string home, Func<HomeConfig, HomeConfig> change)
    {
        try
        {
            Change(home, change);
            return null;
        }
        catch (Exception error) when (error is CommandException or IOException or UnauthorizedAccessException)
        {
            return error.Message;
        }
    }

    /// <summary>Replaces a home's settings in one step: after a power loss there are the old or the new, never a part.</summary>
    public void Save(string home)
    {
        Directory.CreateDirectory(home);
        string path = HomeFolder.Config(home);
        using (FileStream output = new(path + ".new", FileMode.Create, FileAccess.Write))
        {
            output.Write(JsonSerializer.SerializeToUtf8Bytes(this, HomeConfigJson.Default.HomeConfig));
            output.Flush(flushToDisk: true);
        }

        File.Move(path + ".new", path, overwrite: true);
    }
}

/// <summary>A drive to mount at start.</summary>
/// <param name="Volume">The volume's name.</param>
/// <param name="Directory">Where.</param>
public sealed record MountConfig(string Volume, string Directory);

/// <summary>The generated serializer of <see cref="HomeConfig"/>.</summary>
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, ReadCommentHandling = JsonCommentHandling.Skip)]
[JsonSerializable(typeof(HomeConfig))]
public sealed partial class HomeConfigJson : JsonSerializerContext;
