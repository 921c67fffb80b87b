using Emu.Core.Memory;
using Emu.Devices.Pci;

namespace Emu.Devices.Virtio;

public sealed partial class VirtioPci
{
    /// <summary>
    /// The PCI function, with the capabilities that say where the structures are (virtio 1.2, 4.1.4) and the window through which
    /// firmware reaches them by configuration space alone (4.1.4.9).
    /// </summary>
    private sealed class VirtioPciFunction : PciFunction
    {
        private const byte VendorCapability = 0x09;

        // Types of structures.
        private const byte TypeCommon = 1;
        private const byte TypeNotify = 2;
        private const byte TypeIsr = 3;
        private const byte TypeDevice = 4;
        private const byte TypePciConfig = 5;

        // Fields of the capability.
        private const int CapabilityLength = 16;
        private const int LengthField = 2;
        private const int TypeField = 3;
        private const int BarField = 4;
        private const int OffsetField = 8;
        private const int SizeField = 12;
        private const int ExtraField = 16;

        private readonly VirtioPci _owner;
        private AddressSpace? _structures;
        private int _window;

        public VirtioPciFunction(VirtioPci owner, ushort vendor, ushort device, uint classCode, byte revision)
            : base(vendor, device, classCode, revision)
        {
            _owner = owner;
            Define(SubsystemVendorIdOffset, 2, QemuSubsystem.Vendor, 0);
            Define(SubsystemIdOffset, 2, QemuSubsystem.Device, 0);
            DefineInterruptPin(1);
        }

        /// <summary>Adds the capabilities; <paramref name="structures"/> is what the modern BAR shows.</summary>
        public void AddStructures(AddressSpace structures)
        {
            _structures = structures;
            AddStructure(TypeCommon, CommonOffset, 0);
            AddStructure(TypeIsr, IsrOffset, 0);
            AddStructure(TypeDevice, DeviceOffset, 0);
            int notify = AddStructure(TypeNotify, NotifyOffset, sizeof(uint));
            Define(notify + ExtraField, 4, NotifyMultiplier, 0);
            _window = AddStructure(TypePciConfig, 0, sizeof(uint));
            Define(_window + BarField, 1, 0, 0xff);
            Define(_window + OffsetField, 4, 0, uint.MaxValue);
            Define(_window + SizeField, 4, 0, uint.MaxValue);
            Define(_window + ExtraField, 4, 0, uint.MaxValue);
        }

        public override uint ReadConfig(int offset, int size)
        {
            if (TryGetWindow(offset, size, out ulong address, out int length))
            {
                SetConfig(_window + ExtraField, 4, (uint)_structures!.Read(address, length));
            }

            return base.ReadConfig(offset, size);
        }

        public override void WriteConfig(int offset, uint value, int size)
        {
            base.WriteConfig(offset, value, size);
            if (TryGetWindow(offset, size, out ulong address, out int length))
            {
                _structures!.Write(address, base.ReadConfig(_window + ExtraField, 4) & (uint.MaxValue >> (32 - (8 * length))), length);
            }
        }

        protected override void OnConfigChanged(int offset, int size)
        {
            base.OnConfigChanged(offset, size);

            // Null while the base class is being made.
            _owner?._msix?.Update();
        }

        private int AddStructure(byte type, uint start, int extra)
        {
            int offset = AddCapability(VendorCapability, CapabilityLength + extra);
            Define(offset + LengthField, 1, (uint)(CapabilityLength + extra), 0);
            Define(offset + TypeField, 1, type, 0);
            Define(offset + BarField, 1, ModernBar, 0);
            Define(offset + OffsetField, 4, start, 0);
            Define(offset + SizeField, 4, StructureSize, 0);
            return offset;
        }

        private bool TryGetWindow(int offset, int size, out ulong address, out int length)
        {
            (address, length) = (0, 0);
            if (_window == 0 || offset + size <= _window + ExtraField || offset >= _window + ExtraField + sizeof(uint))
            {
                return false;
            }

            address = base.ReadConfig(_window + OffsetField, 4);
            uint count = base.ReadConfig(_window + SizeField, 4);
            length = (int)Math.Min(count, 8);
            return base.ReadConfig(_window + BarField, 1) == ModernBar && count is 1 or 2 or 4 && address % count == 0
                && address <= ModernBarSize - count;
        }
    }
}
