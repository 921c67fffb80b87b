namespace Emu.Compare;

/// <summary>One line on the terminal that says what is going on; nothing where standard error is no terminal.</summary>
internal static class Progress
{
    private const string EraseLine = "\r\u001b[K";

    /// <summary>Replaces the line.</summary>
    public static void Show(string text)
    {
        if (!Console.IsErrorRedirected)
        {
            Console.Error.Write(EraseLine + text);
        }
    }

    /// <summary>Removes the line.</summary>
    public static void Clear() => Show("");
}
