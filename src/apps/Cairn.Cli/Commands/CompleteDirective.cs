using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;

namespace Cairn.Cli.Commands;

/// <summary><c>cairn [complete] WORDS</c>: what the last word may be, a line each.</summary>
/// <remarks>
/// The words are given as a shell reads them. The library's own <c>[suggest:N]</c> gets the line as it is typed and cuts it at
/// spaces, so that a name with a space cannot be completed.
/// </remarks>
internal sealed class CompleteDirective : Directive
{
    public CompleteDirective()
        : base("complete") => Action = new Print();

    private sealed class Print : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            TextWriter output = parseResult.InvocationConfiguration.Output;
            Token? last = parseResult.Tokens.LastOrDefault(word => word.Type != TokenType.Directive);
            if (last is { Type: TokenType.Command or TokenType.Option })
            {
                // It is a whole word already; what may stand behind it is asked for with an empty one.
                output.WriteLine(last.Value);
                return 0;
            }

            foreach (CompletionItem item in parseResult.GetCompletions())
            {
                output.WriteLine(item.InsertText ?? item.Label);
            }

            return 0;
        }
    }
}
