using Reg = Emu.Devices.IrqChip.LocalApicRegister;

namespace Emu.Devices.IrqChip;

// The register file, as both the page and the MSRs reach it, and what writing to it sets off.
public sealed partial class LocalApic
{
    private uint ReadRegister(int register)
    {
        switch (register)
        {
            case Reg.Id: return IsX2Apic ? (uint)_index : (uint)_index << 24;
            case Reg.Version: return Reg.VersionValue;
            case Reg.TaskPriority: return _tpr;
            case Reg.ProcessorPriority: return ProcessorPriority;
            case Reg.LogicalDestination: return IsX2Apic ? X2ApicLogicalId : _ldr;
            case Reg.DestinationFormat: return _dfr;
            case Reg.SpuriousVector: return _svr;
            case >= Reg.InService and < Reg.TriggerMode: return _isr.Word(register - Reg.InService);
            case >= Reg.TriggerMode and < Reg.InterruptRequest: return _tmr.Word(register - Reg.TriggerMode);
            case >= Reg.InterruptRequest and < Reg.ErrorStatus: return _irr.Word(register - Reg.InterruptRequest);
            case Reg.ErrorStatus: return _esr;
            case Reg.CommandLow: return (uint)_icr;
            case Reg.CommandHigh: return (uint)(_icr >> 32);
            case >= Reg.LvtTimer and <= Reg.LvtError: return Lvt(register);
            case Reg.InitialCount: return _timer.InitialCount;
            case Reg.CurrentCount: return _timer.CurrentCount;
            case Reg.DivideConfiguration: return _timer.DivideConfiguration;
            case Reg.Eoi: return 0;
            default:
                RaiseError(Reg.ErrorIllegalRegister);
                return 0;
        }
    }

    private bool WriteRegister(int register, uint value)
    {
        switch (register)
        {
            case Reg.TaskPriority:
                _tpr = (byte)value;
                Update();
                break;
            case Reg.Eoi:
                EndOfInterrupt();
                break;
            case Reg.LogicalDestination:
                _ldr = value & 0xFF00_0000;
                break;
            case Reg.DestinationFormat:
                _dfr = value | Reg.DfrFixedOnes;
                break;
            case Reg.SpuriousVector:
                WriteSpuriousVector(value);
                break;
            case Reg.ErrorStatus:
                _esr = _errors;
                _errors = 0;
                break;
            case Reg.CommandLow:
                _icr = (_icr & 0xFFFF_FFFF_0000_0000) | (value & Reg.IcrLowWritable);
                SendCommand();
                break;
            case Reg.CommandHigh:
                _icr = ((ulong)(value & 0xFF00_0000) << 32) | (uint)_icr;
                break;
            case >= Reg.LvtTimer and <= Reg.LvtError:
                WriteLvt(register, value);
                break;
            case Reg.InitialCount:
                _timer.InitialCount = value;
                break;
            case Reg.DivideConfiguration:
                _timer.DivideConfiguration = value & Reg.DivideWritable;
                break;
            case Reg.SelfIpi when IsX2Apic:
                SendVector((byte)value);
                break;
            default:
                // Writes to read-only registers are ignored; the rest of the page does not exist.
                return register is Reg.Id or Reg.Version or Reg.ProcessorPriority or Reg.CurrentCount
                    or (>= Reg.InService and < Reg.ErrorStatus);
        }

        return true;
    }

    private void WriteSpuriousVector(uint value)
    {
        _svr = value & Reg.SvrWritable;
        if (!IsSoftwareEnabled)
        {
            for (int i = 0; i < _lvt.Length; i++)
            {
                _lvt[i] |= Reg.LvtMasked;
            }
        }

        Update();
    }

    private void WriteLvt(int register, uint value)
    {
        // All mask bits stay set while the APIC is software-disabled (SDM vol. 3, 11.4.7.2).
        Lvt(register) = (value & Reg.LvtWritable(register)) | (IsSoftwareEnabled ? 0 : Reg.LvtMasked);
        if (register == Reg.LvtTimer)
        {
            _timer.SetMode(Lvt(register) >> Reg.LvtTimerModeShift);
        }

        Update();
    }

    private void SendVector(byte vector)
    {
        if (vector < Reg.LowestLegalVector)
        {
            RaiseError(Reg.ErrorSendIllegalVector);
            return;
        }

        Accept(vector, levelTriggered: false);
    }

    private void SendCommand()
    {
        uint command = (uint)_icr;
        uint destination = IsX2Apic ? (uint)(_icr >> 32) : ApicMessage.Widen((byte)(_icr >> 56));
        ApicMessage message = ApicMessage.Decode(command & ~Reg.IcrTriggerLevel, destination, (command & Reg.IcrLogical) != 0);
        if (message.Mode is ApicDeliveryMode.Fixed or ApicDeliveryMode.LowestPriority && message.Vector < Reg.LowestLegalVector)
        {
            RaiseError(Reg.ErrorSendIllegalVector);
            return;
        }

        // INIT level de-assert only synchronises arbitration ids on old parts; it does nothing here (11.6.1).
        if (message.Mode == ApicDeliveryMode.Init && (command & (Reg.IcrAssert | Reg.IcrTriggerLevel)) == Reg.IcrTriggerLevel)
        {
            return;
        }

        switch ((command >> Reg.IcrShorthandShift) & 3)
        {
            case 0:
                _set.Deliver(message);
                break;
            case 1:
                Receive(message);
                break;
            case 2:
                _set.Deliver(message with { Destination = ApicMessage.Broadcast });
                break;
            default:
                _set.Deliver(message with { Destination = ApicMessage.Broadcast }, except: this);
                break;
        }
    }
}
