using Emu.Core;
using Emu.Core.Cpu;
using Emu.Core.Time;
using Reg = Emu.Devices.IrqChip.LocalApicRegister;

namespace Emu.Devices.IrqChip;

/// <summary>
/// The local APIC of one CPU, in xAPIC or x2APIC mode (SDM vol. 3, ch. 11). Interrupts come from its
/// <see cref="LocalApicSet"/>, from the timer, and, through LINT0, from the 8259.
/// </summary>
/// <remarks>
/// Members of <see cref="ILocalApic"/> take the machine lock; internal ones expect it held. The register page does not
/// move when the guest changes the base address: it is shared by all CPUs and stays at its default place.
/// </remarks>
public sealed partial class LocalApic : Device, ILocalApic
{
    private readonly LocalApicSet _set;
    private readonly int _index;
    private readonly LocalApicTimer _timer;
    private readonly VectorSet _isr = new();
    private readonly VectorSet _tmr = new();
    private readonly VectorSet _irr = new();
    private readonly uint[] _lvt = new uint[Reg.LvtCount];
    private IInterruptTarget? _target;
    private ulong _base;
    private byte _tpr;
    private uint _ldr;
    private uint _dfr;
    private uint _svr;
    private uint _esr;
    private uint _errors;
    private ulong _icr;
    private volatile bool _pending;

    internal LocalApic(LocalApicSet set, int index, TimerQueue timers)
        : base($"lapic{index}")
    {
        _set = set;
        _index = index;
        _timer = new LocalApicTimer(timers, () => DeliverLvt(Reg.LvtTimer));
        Reset();
    }

    /// <inheritdoc/>
    public bool HasPendingInterrupt => _pending;

    /// <inheritdoc/>
    public ulong BaseMsr => Volatile.Read(ref _base);

    /// <inheritdoc/>
    public byte TaskPriorityClass
    {
        get => (byte)(Volatile.Read(ref _tpr) >> 4);
        set
        {
            using (_set.Lock.Enter())
            {
                _tpr = (byte)(value << 4);
                Update();
            }
        }
    }

    /// <summary>
    /// TSC less virtual time in nanoseconds: the TSC reads <c>IClock.NowNs + TscOffset</c> (1 GHz). The vCPU sets it
    /// when the guest writes IA32_TIME_STAMP_COUNTER or IA32_TSC_ADJUST; the TSC-deadline timer follows.
    /// </summary>
    public long TscOffset
    {
        get => _timer.TscOffset;
        set
        {
            using (_set.Lock.Enter())
            {
                _timer.TscOffset = value;
            }
        }
    }

    /// <summary>False after the guest has turned the APIC off in IA32_APIC_BASE.</summary>
    internal bool IsEnabled => (_base & ApicBase.Enable) != 0;

    /// <summary>True in x2APIC mode.</summary>
    internal bool IsX2Apic => (_base & ApicBase.Extended) != 0;

    /// <summary>Processor priority, the larger class of TPR and the highest interrupt in service (SDM vol. 3, 11.8.3.1).</summary>
    internal byte ProcessorPriority
    {
        get
        {
            int inService = Math.Max(_isr.Highest, 0) & 0xF0;
            return (_tpr & 0xF0) >= inService ? _tpr : (byte)inService;
        }
    }

    private bool IsSoftwareEnabled => (_svr & Reg.SvrSoftwareEnable) != 0;

    // With the APIC off, the INTR pin is LINT0. The mask bit alone decides otherwise: firmware leaves LINT0 open while
    // the APIC is still software-disabled (virtual wire mode, MP spec 3.6.2.1).
    private bool AcceptsExtInt => !IsEnabled
        || (Lvt(Reg.LvtLint0) & (Reg.LvtMasked | (7u << Reg.LvtModeShift))) == Reg.LvtExtInt;

    // Only the boot processor's LINT0 is wired to the 8259.
    private bool HasPicInterrupt => _index == 0 && _set.PicAsserted && AcceptsExtInt;

    /// <inheritdoc/>
    public void Connect(IInterruptTarget target) => _target = target;

    /// <inheritdoc/>
    public override void Reset()
    {
        _base = ApicBase.DefaultAddress | ApicBase.Enable | (_index == 0 ? ApicBase.BootProcessor : 0);
        ResetRegisters();
    }

    /// <inheritdoc/>
    public void InitReset()
    {
        using (_set.Lock.Enter())
        {
            ResetRegisters();
        }
    }

    /// <inheritdoc/>
    public int AcknowledgeInterrupt()
    {
        using (_set.Lock.Enter())
        {
            int vector = HighestDeliverable();
            if (vector >= 0)
            {
                _irr[vector] = false;
                _isr[vector] = true;
            }
            else if (HasPicInterrupt)
            {
                vector = _set.AcknowledgePic?.Invoke() ?? -1;
            }

            Update();
            return vector;
        }
    }

    /// <inheritdoc/>
    public bool TryWriteBaseMsr(ulong value)
    {
        using (_set.Lock.Enter())
        {
            if (!ApicBase.IsLegal(_base, value))
            {
                return false;
            }

            bool wasEnabled = IsEnabled;
            Volatile.Write(ref _base, value);
            if (wasEnabled && !IsEnabled)
            {
                ResetRegisters();
            }

            Update();
            return true;
        }
    }

    /// <inheritdoc/>
    public bool TryReadMsr(uint index, out ulong value)
    {
        using (_set.Lock.Enter())
        {
            value = 0;
            if (index == ApicBase.TscDeadlineMsr)
            {
                value = _timer.Deadline;
                return true;
            }

            int register = (int)(index - ApicBase.FirstX2ApicMsr);
            if (!IsX2Apic || register is < 0 or >= Reg.Count || !Reg.IsX2ApicReadable(register))
            {
                return false;
            }

            value = register == Reg.CommandLow ? _icr : ReadRegister(register);
            return true;
        }
    }

    /// <inheritdoc/>
    public bool TryWriteMsr(uint index, ulong value)
    {
        using (_set.Lock.Enter())
        {
            if (index == ApicBase.TscDeadlineMsr)
            {
                _timer.Deadline = value;
                return true;
            }

            int register = (int)(index - ApicBase.FirstX2ApicMsr);
            if (!IsX2Apic || register is < 0 or >= Reg.Count || Reg.X2ApicWritable(register) is not ulong writable || (value & ~writable) != 0)
            {
                return false;
            }

            if (register == Reg.CommandLow)
            {
                _icr = value;
                SendCommand();
            }
            else
            {
                WriteRegister(register, (uint)value);
            }

            return true;
        }
    }

    /// <inheritdoc/>
    public LocalApicState GetState()
    {
        using (_set.Lock.Enter())
        {
            return Save();
        }
    }

    /// <inheritdoc/>
    public void SetState(LocalApicState state)
    {
        using (_set.Lock.Enter())
        {
            Restore(state);
        }
    }

    /// <inheritdoc/>
    public override LocalApicState Save() => new()
    {
        BaseMsr = _base,
        TaskPriority = _tpr,
        LogicalDestination = _ldr,
        DestinationFormat = _dfr,
        SpuriousVector = _svr,
        InService = _isr.ToArray(),
        TriggerMode = _tmr.ToArray(),
        InterruptRequest = _irr.ToArray(),
        ErrorStatus = _esr,
        PendingErrors = _errors,
        InterruptCommand = _icr,
        Lvt = [.. _lvt],
        InitialCount = _timer.InitialCount,
        DivideConfiguration = _timer.DivideConfiguration,
        TimerElapsedNs = _timer.ElapsedNs,
        TscDeadline = _timer.Deadline,
        TscOffset = _timer.TscOffset,
    };

    /// <inheritdoc/>
    public override void Restore(DeviceState state)
    {
        LocalApicState s = LocalApicStateCheck.Check(Name, state);
        _base = s.BaseMsr;
        _tpr = s.TaskPriority;
        _ldr = s.LogicalDestination;
        _dfr = s.DestinationFormat;
        _svr = s.SpuriousVector;
        _isr.Load(s.InService);
        _tmr.Load(s.TriggerMode);
        _irr.Load(s.InterruptRequest);
        _esr = s.ErrorStatus;
        _errors = s.PendingErrors;
        _icr = s.InterruptCommand;
        s.Lvt.CopyTo(_lvt, 0);
        _timer.Restore(Lvt(Reg.LvtTimer) >> Reg.LvtTimerModeShift, s.InitialCount, s.DivideConfiguration, s.TimerElapsedNs, s.TscDeadline, s.TscOffset);
        Update();
    }

    /// <summary>A read of the register page; registers lie at multiples of 16.</summary>
    internal uint ReadPage(ulong offset)
    {
        if (!IsEnabled || IsX2Apic)
        {
            return uint.MaxValue;
        }

        return (offset & 0xF) != 0 ? 0 : ReadRegister((int)(offset >> 4));
    }

    /// <summary>A write to the register page.</summary>
    internal void WritePage(ulong offset, uint value)
    {
        if (IsEnabled && !IsX2Apic && (offset & 0xF) == 0 && !WriteRegister((int)(offset >> 4), value))
        {
            RaiseError(Reg.ErrorIllegalRegister);
        }
    }

    /// <summary>True when a message with this destination is for this APIC (SDM vol. 3, 11.6.2).</summary>
    internal bool Matches(in ApicMessage message)
    {
        if (!IsEnabled)
        {
            return false;
        }

        uint destination = message.Destination;
        if (destination == ApicMessage.Broadcast)
        {
            return true;
        }

        if (!message.Logical)
        {
            return destination == (IsX2Apic ? (uint)_index : (byte)_index);
        }

        return IsX2Apic ? MatchesCluster(destination, X2ApicLogicalId, 16) : MatchesXApicLogical(destination);
    }

    /// <summary>Takes a message addressed to this APIC; false when it is lost because the APIC is software-disabled.</summary>
    internal bool Receive(in ApicMessage message)
    {
        switch (message.Mode)
        {
            case ApicDeliveryMode.Fixed:
            case ApicDeliveryMode.LowestPriority:
                return Accept(message.Vector, message.LevelTriggered);
            case ApicDeliveryMode.Nmi:
                _target?.RaiseNmi();
                return true;
            case ApicDeliveryMode.Init:
                _target?.RaiseInit();
                return true;
            case ApicDeliveryMode.StartUp:
                _target?.RaiseSipi(message.Vector);
                return true;
            default:
                return true;
        }
    }

    /// <summary>True when a fixed interrupt would be accepted; lowest-priority delivery chooses among those.</summary>
    internal bool CanAccept(in ApicMessage message) => Matches(message) && IsSoftwareEnabled;

    /// <summary>The 8259's output changed; it is wired to LINT0.</summary>
    internal void PicChanged(bool rising)
    {
        if (rising && IsEnabled && !AcceptsExtInt)
        {
            DeliverLvt(Reg.LvtLint0);
        }

        Update();
    }

    /// <summary>An edge on LINT1, which a PC wires to its NMI sources; with the APIC off it is the NMI pin.</summary>
    internal void PulseLint1()
    {
        if (IsEnabled)
        {
            DeliverLvt(Reg.LvtLint1);
        }
        else
        {
            _target?.RaiseNmi();
        }
    }

    private uint X2ApicLogicalId => ((uint)_index >> 4 << 16) | (1u << (_index & 0xF));

    // Upper part: cluster number; lower part: one bit per member.
    private static bool MatchesCluster(uint destination, uint logicalId, int memberBits) =>
        destination >> memberBits == logicalId >> memberBits
        && (destination & logicalId & ((1u << memberBits) - 1)) != 0;

    private bool MatchesXApicLogical(uint destination)
    {
        uint logicalId = _ldr >> 24;
        if (destination > 0xFF)
        {
            return false;
        }

        return _dfr >> Reg.DfrModelShift == Reg.DfrFlat
            ? (destination & logicalId) != 0
            : MatchesCluster(destination, logicalId, 4) || (destination >> 4 == 0xF && (destination & logicalId & 0xF) != 0);
    }

    private ref uint Lvt(int register) => ref _lvt[register - Reg.LvtTimer];

    private void ResetRegisters()
    {
        _tpr = 0;
        _ldr = 0;
        _dfr = uint.MaxValue;
        _svr = Reg.SvrAtReset;
        _esr = 0;
        _errors = 0;
        _icr = 0;
        _isr.Clear();
        _tmr.Clear();
        _irr.Clear();
        Array.Fill(_lvt, Reg.LvtMasked);
        if (_index == 0)
        {
            // As firmware would leave it: virtual wire mode, so that a directly booted kernel gets the 8259's interrupts.
            Lvt(Reg.LvtLint0) = Reg.LvtExtInt;
        }

        _timer.Reset();
        Update();
    }

    private bool Accept(byte vector, bool levelTriggered)
    {
        if (vector < Reg.LowestLegalVector)
        {
            RaiseError(Reg.ErrorReceiveIllegalVector);
            return false;
        }

        if (!IsSoftwareEnabled || !IsEnabled)
        {
            return false;
        }

        _irr[vector] = true;
        _tmr[vector] = levelTriggered;
        Update();
        return true;
    }

    private void DeliverLvt(int register)
    {
        uint entry = Lvt(register);
        if ((entry & Reg.LvtMasked) != 0)
        {
            return;
        }

        // Timer and error entries have no mode bits, which reads as fixed.
        ApicMessage message = ApicMessage.Decode(entry & Reg.LvtWritable(register) & ~Reg.LvtMasked, 0, logical: false);
        if (message.Mode is ApicDeliveryMode.Fixed or ApicDeliveryMode.Nmi)
        {
            // An input set to level would wait for an EOI that no source here listens to: all inputs act as edges.
            Receive(message with { LevelTriggered = false });
        }
    }

    // The error interrupt comes once per kind of error until ESR is written; that also ends the recursion of an illegal
    // vector in the error entry itself.
    private void RaiseError(uint error)
    {
        if ((_errors & error) == 0)
        {
            _errors |= error;
            DeliverLvt(Reg.LvtError);
        }
    }

    private int HighestDeliverable()
    {
        int vector = IsEnabled ? _irr.Highest : -1;
        return (vector & 0xF0) > (ProcessorPriority & 0xF0) && vector >= 0 ? vector : -1;
    }

    private void Update()
    {
        bool pending = HighestDeliverable() >= 0 || HasPicInterrupt;
        bool rose = pending && !_pending;
        _pending = pending;
        if (rose)
        {
            _target?.NotifyInterrupt();
        }
    }

    private void EndOfInterrupt()
    {
        int vector = _isr.Highest;
        if (vector < 0)
        {
            return;
        }

        _isr[vector] = false;
        Update();
        if (_tmr[vector] && (_svr & Reg.SvrSuppressEoiBroadcast) == 0)
        {
            _set.BroadcastEoi((byte)vector);
        }
    }
}
