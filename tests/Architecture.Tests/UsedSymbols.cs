using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Cairn.Architecture.Tests;

/// <summary>What an assembly names of others, read from its metadata: also what stands only in a field or a signature.</summary>
internal static class UsedSymbols
{
    /// <summary>Every foreign type as "Ns.Type." and member as "Ns.Type.Member".</summary>
    internal static IReadOnlySet<string> Of(string assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly));
        MetadataReader metadata = file.GetMetadataReader();
        var symbols = new SortedSet<string>(StringComparer.Ordinal);
        foreach (TypeReferenceHandle handle in metadata.TypeReferences)
        {
            symbols.Add(Name(metadata, handle) + ".");
        }

        foreach (MemberReferenceHandle handle in metadata.MemberReferences)
        {
            MemberReference member = metadata.GetMemberReference(handle);
            if (member.Parent.Kind == HandleKind.TypeReference)
            {
                string type = Name(metadata, (TypeReferenceHandle)member.Parent);
                symbols.Add(type + "." + metadata.GetString(member.Name));
            }
        }

        return symbols;
    }

    /// <summary>The namespaces of the foreign types an assembly names.</summary>
    internal static IReadOnlySet<string> NamespacesOf(string assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly));
        MetadataReader metadata = file.GetMetadataReader();
        return new SortedSet<string>(
            metadata.TypeReferences.Select(handle => metadata.GetString(metadata.GetTypeReference(handle).Namespace)),
            StringComparer.Ordinal);
    }

    private static string Name(MetadataReader metadata, TypeReferenceHandle handle)
    {
        TypeReference type = metadata.GetTypeReference(handle);
        string name = metadata.GetString(type.Name);
        if (type.ResolutionScope.Kind == HandleKind.TypeReference)
        {
            return Name(metadata, (TypeReferenceHandle)type.ResolutionScope) + "." + name;
        }

        string space = metadata.GetString(type.Namespace);
        return space.Length == 0 ? name : space + "." + name;
    }
}
