namespace Emu.Core.Net;

/// <summary>
/// The outside end of a network card: user-mode network, tap, socket. The card sends from its worker thread, never with the
/// machine lock held; frames for the guest arrive on the backend's own thread.
/// </summary>
public interface INetBackend : IDisposable
{
    /// <summary>What the backend takes from, and may hand to, the card besides plain frames.</summary>
    NetOffloads Offloads { get; }

    /// <summary>Tells the backend where frames for the guest go. Called once, before any frame.</summary>
    void Connect(INetReceiver receiver);

    /// <summary>
    /// One Ethernet frame from the guest, without FCS. The backend copies what it keeps; a frame it has no room for, or finds
    /// malformed, is dropped, as on a real wire.
    /// </summary>
    void Send(ReadOnlySpan<byte> frame, in FrameOffload offload);

    /// <summary>The receiver that refused a frame has room again. Any thread.</summary>
    void ReceiverReady();
}

/// <summary>The guest's end of the wire, fed by a backend.</summary>
public interface INetReceiver
{
    /// <summary>
    /// What the guest takes besides plain frames: the features its driver negotiated (virtio 1.2, 5.1.3, GUEST_CSUM and the like).
    /// It changes when the driver resets the card, so a backend asks before each frame; the receiver drops a frame that comes too late.
    /// </summary>
    NetOffloads Offloads => NetOffloads.None;

    /// <summary>
    /// Hands one Ethernet frame, without FCS, to the guest. False when the card has no buffer for it now: the backend may keep
    /// it and offer it again after <see cref="INetBackend.ReceiverReady"/>, or drop it. Any thread, one at a time.
    /// </summary>
    bool Receive(ReadOnlySpan<byte> frame, in FrameOffload offload);
}

/// <summary>Work on frames that one side may leave to the other (virtio 1.2, 5.1.3).</summary>
[Flags]
public enum NetOffloads
{
    /// <summary>Plain frames with full checksums only.</summary>
    None = 0,

    /// <summary>Frames whose TCP or UDP checksum is still to be completed.</summary>
    Checksum = 1,

    /// <summary>TCP over IPv4 segments larger than the MTU, up to 64 KiB.</summary>
    Tso4 = 2,

    /// <summary>TCP over IPv6 segments larger than the MTU, up to 64 KiB.</summary>
    Tso6 = 4,
}

/// <summary>What is left to do on one frame; the default value means nothing (virtio 1.2, 5.1.6).</summary>
/// <param name="NeedsChecksum">The ones' complement sum from <paramref name="ChecksumStart"/> to the end still has to be stored.</param>
/// <param name="ChecksumStart">Offset in the frame at which the sum begins, in bytes.</param>
/// <param name="ChecksumOffset">Offset from <paramref name="ChecksumStart"/> at which it is stored, in bytes.</param>
/// <param name="SegmentSize">Payload bytes per TCP segment when the frame holds several, else 0.</param>
/// <param name="IsChecksumValid">The sender vouches for the checksum (same host, no wire): the receiver need not check it.</param>
public readonly record struct FrameOffload(
    bool NeedsChecksum, ushort ChecksumStart, ushort ChecksumOffset, ushort SegmentSize, bool IsChecksumValid);
