using System.Reflection;

namespace Cairn.Architecture.Tests;

/// <summary>A base that nobody outside may derive from is a closed set: every member of it is sealed.</summary>
public sealed class ClosedHierarchyTests
{
    [Theory]
    [InlineData("Cairn.Core")]
    [InlineData("Cairn.Coding")]
    [InlineData("Cairn.Storage")]
    [InlineData("Cairn.Node")]
    public void Every_member_of_a_closed_set_is_sealed(string project)
    {
        Type[] types = Assembly.LoadFrom(Repository.Assembly(project)).GetTypes();
        Type[] open = [.. types.Where(type => type.BaseType is { } parent && IsClosedBase(parent))
            .Where(type => !type.IsSealed && !IsClosedBase(type))];
        Findings.None(open.Select(type => type.FullName!));
    }

    // Abstract, with no constructor that another assembly could call.
    private static bool IsClosedBase(Type type) =>
        type is { IsAbstract: true, IsSealed: false, IsClass: true }
        && type.Assembly.GetName().Name!.StartsWith("Cairn.", StringComparison.Ordinal)
        && type.GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
            .Where(constructor => !IsCopyConstructor(constructor))
            .All(constructor => constructor.IsPrivate || constructor.IsFamilyAndAssembly || constructor.IsAssembly);

    private static bool IsCopyConstructor(ConstructorInfo constructor) =>
        constructor.GetParameters() is [{ } only] && only.ParameterType == constructor.DeclaringType;
}
