using System.Text;
using Emu.Devices.Smbios;

namespace Emu.Tests.Devices.Smbios;

public sealed class SmbiosTablesTests
{
    // Lengths of the formatted parts (DSP0134 2.8, clause 7).
    private static readonly Dictionary<byte, int> Lengths = new()
    {
        [0] = 24, [1] = 27, [3] = 22, [4] = 42, [16] = 23, [17] = 40, [19] = 31, [32] = 11, [127] = 4,
    };

    private static readonly SmbiosBlob Blob =
        SmbiosTables.Build(new SmbiosConfiguration { Memory = (3UL << 30, 30UL << 30), Processors = (2, 4, 2) });

    [Fact]
    public void Anchor_SumsToZero_AndTellsLengthAndCount()
    {
        Assert.Equal(31, Blob.Anchor.Length);
        Assert.Equal("_SM_", Encoding.ASCII.GetString(Blob.Anchor, 0, 4));
        Assert.Equal(0, (byte)Blob.Anchor.Sum(value => value));
        Assert.Equal(0, (byte)Blob.Anchor.Skip(16).Sum(value => value));
        Assert.Equal(Blob.Tables.Length, BitConverter.ToUInt16(Blob.Anchor, 22));
        Assert.Equal(Structures().Count, BitConverter.ToUInt16(Blob.Anchor, 28));
    }

    [Fact]
    public void Structures_HaveTheLengthsOfTheSpecification()
    {
        List<(byte Type, byte[] Fields, List<string> Strings)> all = Structures();

        Assert.Equal([0, 1, 3, 4, 4, 16, 17, 17, 17, 19, 19, 32, 127], all.Select(entry => (int)entry.Type));
        Assert.All(all, entry => Assert.Equal(Lengths[entry.Type], entry.Fields.Length));
        Assert.Equal(all.Count, all.Select(entry => BitConverter.ToUInt16(entry.Fields, 2)).Distinct().Count());
    }

    [Fact]
    public void Fields_TellTheMachine()
    {
        var all = Structures();
        byte[] processor = all.First(entry => entry.Type == 4).Fields;
        Assert.Equal([4, 4, 8], processor[35..38]);
        Assert.Equal(33 << 10, all.Where(entry => entry.Type == 17).Sum(entry => BitConverter.ToUInt16(entry.Fields, 12)));
        Assert.Equal([0UL, 1UL << 32], all.Where(entry => entry.Type == 19).Select(entry => BitConverter.ToUInt64(entry.Fields, 15)));
        Assert.Equal(["emu", "emu PC (i440FX + PIIX)", "1.0"], all.First(entry => entry.Type == 1).Strings);
    }

    private static List<(byte Type, byte[] Fields, List<string> Strings)> Structures()
    {
        var found = new List<(byte, byte[], List<string>)>();
        byte[] bytes = Blob.Tables;
        for (int at = 0; at < bytes.Length;)
        {
            byte[] fields = bytes[at..(at + bytes[at + 1])];
            var strings = new List<string>();
            int next = at + fields.Length;
            while (bytes[next] != 0)
            {
                int end = Array.IndexOf(bytes, (byte)0, next);
                strings.Add(Encoding.ASCII.GetString(bytes, next, end - next));
                next = end + 1;
            }

            found.Add((fields[0], fields, strings));
            at = next + (strings.Count == 0 ? 2 : 1);
        }

        return found;
    }
}
