namespace Cairn.Core.Tests.Tree;

/// <summary>Runs a property for many seeds, side by side; a seed that fails is named with what replays it.</summary>
internal static class Seeds
{
    /// <summary>How many seeds to run and which to begin with: a longer soak, or the replay of one.</summary>
    private const string CountVariable = "CAIRN_CONVERGENCE_SEEDS";
    private const string FirstVariable = "CAIRN_CONVERGENCE_FIRST";

    /// <param name="count">How many, unless the environment says otherwise.</param>
    /// <param name="run">Throws when the property does not hold.</param>
    internal static void Run(ulong count, Action<ulong> run)
    {
        ulong first = Number(FirstVariable, 1);
        Parallel.For((long)first, (long)(first + Number(CountVariable, count)), seed =>
        {
            try
            {
                run((ulong)seed);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException(
                    $"seed {seed}: {e.Message}\nreplay: {FirstVariable}={seed} {CountVariable}=1 ./test Core", e);
            }
        });
    }

    private static ulong Number(string variable, ulong otherwise) =>
        ulong.TryParse(Environment.GetEnvironmentVariable(variable), out ulong number) ? number : otherwise;
}
