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
    /// The program completes itself: for bash <see cref="CompleteDirective"/> gets the words; for the others the
    /// <c>[suggest:N]</c> directive prints what may stand at position N. Names come from other people's machines: they are
    /// compared and quoted, never expanded (compgen -W would run a name like "$(reboot)").
    /// </remarks>
    private static string Script(string shell) => shell switch
    {
        "bash" => """
            # Reads the line up to the cursor as bash reads words. Bash puts an answer in place of what stands behind
            # the last bare ':', '=' or '@': "shown" is how much of the word is before that.
            _cairn_words() {
                local line=${COMP_LINE:0:COMP_POINT} breaks=${COMP_WORDBREAKS//[^:=@]/} word= begun= i c
                words=() shown=0 quote=
                for ((i = 0; i < ${#line}; i++)); do
                    c=${line:i:1}
                    case $quote$c in
                        \'\' | \"\") quote= ;;
                        \'?) word+=$c ;;
                        [\ $'\t\n']) [[ $begun ]] && words+=("$word"); word= begun= shown=0; continue ;;
                        \' | \") quote=$c shown=${#word} ;;
                        \\) ((i++)); word+=${line:i:1} ;;
                        \"\\) [[ ${line:i+1:1} == [\"\\\$\`] ]] && ((i++)); word+=${line:i:1} ;;
                        *) word+=$c; [[ ! $quote && $breaks == *"$c"* ]] && shown=${#word} ;;
                    esac
                    begun=1
                done
                words+=("$word")
            }
            _cairn() {
                local words shown quote line rest
                _cairn_words
                COMPREPLY=()
                while IFS= read -r line; do
                    [[ $line == "${words[-1]}"* ]] || continue
                    rest=${line:shown}
                    case $quote in
                        '') rest=$(printf %q "$rest") ;;
                        \") rest=${rest//\\/\\\\} rest=${rest//\"/\\\"}
                            rest=${rest//\$/\\\$} rest=${rest//\`/\\\`} ;;
                        *) [[ $rest == *\'* ]] && continue ;;
                    esac
                    COMPREPLY+=("$rest")
                done < <("${words[0]}" '[complete]' "${words[@]:1}" 2>/dev/null)
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
