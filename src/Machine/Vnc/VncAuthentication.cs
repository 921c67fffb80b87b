using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace Emu.Machine.Vnc;

/// <summary>VNC authentication (RFC 6143, 7.2.2): a challenge encrypted by DES with the password as the key.</summary>
[SuppressMessage("Security", "CA5351:Do Not Use Broken Cryptographic Algorithms", Justification = "the protocol has no other")]
internal static class VncAuthentication
{
    /// <summary>Bytes of challenge and response.</summary>
    public const int ChallengeSize = 16;

    private const int KeySize = 8;

    /// <summary>True when DES takes <paramref name="password"/> as a key; there are a few that it must not.</summary>
    public static bool IsUsable(string password) => password.Length > 0 && !DES.IsWeakKey(Key(password)) && !DES.IsSemiWeakKey(Key(password));

    /// <summary>What a client that knows <paramref name="password"/> answers to <paramref name="challenge"/>.</summary>
    public static byte[] Respond(string password, byte[] challenge)
    {
        using var des = DES.Create();
        des.Key = Key(password);
        return des.EncryptEcb(challenge, PaddingMode.None);
    }

    // The first eight characters, each with its bits the other way round.
    private static byte[] Key(string password)
    {
        byte[] key = new byte[KeySize];
        byte[] text = Encoding.Latin1.GetBytes(password);
        for (int i = 0; i < Math.Min(KeySize, text.Length); i++)
        {
            for (int bit = 0; bit < 8; bit++)
            {
                key[i] |= (byte)(((text[i] >> bit) & 1) << (7 - bit));
            }
        }

        return key;
    }
}
