using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;

namespace Emu.Tests.Layers;

/// <summary>The arrows between the projects, as in ARCHITECTURE.md; nothing else may be referenced.</summary>
public sealed class ProjectReferenceTests
{
    private static readonly Dictionary<string, string[]> Allowed = new(StringComparer.Ordinal)
    {
        ["Core"] = [],
        ["Block"] = ["Core"],
        ["Devices"] = ["Core"],
        ["Net"] = ["Core"],
        ["Frontend"] = ["Core"],
        ["Jit"] = ["Core", "Frontend"],
        ["Accel"] = ["Core", "Frontend", "Jit"],
        ["Machine"] = ["Core", "Block", "Devices", "Accel", "Net"],
        ["Diff"] = ["Core", "Frontend", "Jit", "Accel"],
        ["Cli"] = ["Core", "Block", "Machine", "Diff", "Net"],
    };

    public static TheoryData<string> Projects() => [.. Allowed.Keys];

    [Fact]
    public void EveryProject_HasItsRow() =>
        Assert.Equal(Allowed.Keys.Order(StringComparer.Ordinal),
            Directory.GetDirectories(Repository.PathOf("src")).Select(Path.GetFileName).Where(name => name![0] != '.').Order(StringComparer.Ordinal)!);

    [Theory]
    [MemberData(nameof(Projects))]
    public void Assembly_ReferencesOnlyWhatItMay(string project)
    {
        using PEReader file = Open(project);
        MetadataReader metadata = file.GetMetadataReader();
        IEnumerable<string> referenced = metadata.AssemblyReferences
            .Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name))
            .Where(name => name.StartsWith("Emu.", StringComparison.Ordinal));

        Assert.Empty(referenced.Except(Allowed[project].Select(name => "Emu." + name)));
    }

    // The compiler leaves unused references out of the assembly: the project files are looked at too.
    [Theory]
    [MemberData(nameof(Projects))]
    public void ProjectFile_ReferencesOnlyWhatItMay(string project)
    {
        IEnumerable<string> referenced = XDocument.Load(Repository.PathOf("src", project, project + ".csproj")).Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/')));

        Assert.Empty(referenced.Except(Allowed[project]));
    }

    [Fact]
    public void Jit_NamesNoTypeOfTheX86Frontend()
    {
        using PEReader file = Open("Jit");
        MetadataReader metadata = file.GetMetadataReader();
        IEnumerable<string> named = metadata.TypeReferences.Select(metadata.GetTypeReference)
            .Where(type => metadata.GetString(type.Namespace) is var space
                && (space == "Emu.Frontend.X86" || space.StartsWith("Emu.Frontend.X86.", StringComparison.Ordinal)))
            .Select(type => metadata.GetString(type.Name));

        Assert.Empty(named);
    }

    private static PEReader Open(string project)
    {
        string name = project == "Cli" ? "emu.dll" : $"Emu.{project}.dll";
        return new PEReader(File.OpenRead(Path.Combine(Path.GetDirectoryName(Assembly.GetExecutingAssembly().Location)!, name)));
    }
}
