using System.CommandLine;
using Cairn.Cli.Output;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn completion SHELL</c>: prints a script that completes commands, options, volumes, paths and nodes.</summary>
public static class CompletionCommand
{
    /// <summary>Builds the command.</summary>
    public static Command Create()
    {
        Argument<string> shell = new("shell") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        Command command = new ManualCommand(
            "completion",
            "Print a completion script.",
            "Completes commands and options, and what the running daemon knows: volumes, paths in them, machines.",
            "cairn completion bash > /etc/bash_completion.d/cairn",
            "cairn completion zsh > ~/.zfunc/_cairn",
            "cairn completion fish > ~/.config/fish/completions/cairn.fish") { shell };
        CommandContext.Attach(command, async (context, parsed, _) =>
        {
            await context.Output.WriteLineAsync(Script(parsed.GetValue(shell)!));
            return ExitCode.Ok;
        });
        return command;
    }

    /// <remarks>
    /// The program completes itself: the <c>[suggest:N]</c> directive prints what may stand at position N. Names come from
    /// other people's machines: they are compared and quoted, never expanded (compgen -W would run a name like "$(reboot)").
    /// </remarks>
    private static string Script(string shell) => shell switch
    {
        "bash" => """
            _cairn() {
                local word=${COMP_WORDS[COMP_CWORD]} line
                COMPREPLY=()
                while IFS= read -r line; do
                    [[ $line == "$word"* ]] && COMPREPLY+=("$(printf %q "$line")")
                done < <("${COMP_WORDS[0]}" "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)
                [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == */ ]] && compopt -o nospace
                return 0
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
            # Autoloaded from a folder of completions, this whole text is the function, and was called to complete.
            if [[ ${funcstack[1]} == _cairn ]]; then _cairn "$@"; else compdef _cairn cairn; fi
            """,
        _ => """
            complete -c cairn -a '(cairn "[suggest:"(commandline -C)"]" (commandline) 2>/dev/null)'
            """,
    };
}
