using System.CommandLine;
using Cairn.Cli.Output;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn completion SHELL</c>: prints a script that completes commands, options and volume paths.</summary>
public static class CompletionCommand
{
    /// <summary>Builds the command.</summary>
    public static Command Create()
    {
        Argument<string> shell = new("shell") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        Command command = new(
            "completion",
            "Print a completion script. For bash: cairn completion bash > /etc/bash_completion.d/cairn") { shell };
        CommandContext.Attach(command, async (context, parsed, _) =>
        {
            await context.Output.WriteLineAsync(Script(parsed.GetValue(shell)!));
            return ExitCode.Ok;
        });
        return command;
    }

    /// <remarks>The program completes itself: the <c>[suggest:N]</c> directive prints what may stand at position N.</remarks>
    private static string Script(string shell) => shell switch
    {
        "bash" => """
            _cairn() {
                local IFS=$'\n'
                COMPREPLY=( $(compgen -W "$(cairn "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}") )
            }
            complete -o default -F _cairn cairn
            """,
        "zsh" => """
            #compdef cairn
            _cairn() {
                local -a found
                found=( ${(f)"$(cairn "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)"} )
                compadd -a found || _files
            }
            compdef _cairn cairn
            """,
        _ => """
            complete -c cairn -a '(cairn "[suggest:"(commandline -C)"]" (commandline) 2>/dev/null)'
            """,
    };
}
