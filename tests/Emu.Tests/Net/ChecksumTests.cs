using Emu.Net.Wire;

namespace Emu.Tests.Net;

public sealed class ChecksumTests
{
    [Fact]
    public void Compute_AnyLengthAndAlignment_IsTheSumWordByWord()
    {
        byte[] data = new byte[70_000];
        new Random(1).NextBytes(data);
        data.AsSpan(1000, 3000).Fill(0xff);
        foreach (int length in Enumerable.Range(0, 300).Concat([1460, 1461, 65_495, 65_535]))
        {
            for (int start = 0; start < 3; start++)
            {
                ReadOnlySpan<byte> part = data.AsSpan(start, length);
                Assert.Equal(GuestFrames.Checksum(part, 0x1234), InternetChecksum.Compute(part, 0x1234));
            }
        }
    }
}
