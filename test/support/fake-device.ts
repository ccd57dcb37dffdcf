/** Devices for the fake kernel (fake-kernel.ts): plain data that a test may change before it opens one. */
import type {
  BarAccessors,
  RawCapability,
  RawDeviceInfo,
  RawIrqInfo,
  RawRegionInfo,
} from '../../lib/native.js';

export interface FakeDevice {
  info: RawDeviceInfo;
  regions: FakeRegion[];
  irqs: RawIrqInfo[];
}

/** A region and what is behind it. */
export interface FakeRegion {
  flags: number;
  bytes: Uint8Array;
  capabilities: RawCapability[];
}

/** As the kernel does it: the region's index in the upper bits of the file offset. */
const offsetShift = 2 ** 40;

export function regionInfo(device: FakeDevice, index: number): RawRegionInfo {
  const { flags, bytes, capabilities } = regionAt(device, index * offsetShift).region;
  return { flags, size: bytes.length, fileOffset: index * offsetShift, capabilities };
}

export function regionAt(device: FakeDevice, fileOffset: number): { region: FakeRegion; offset: number } {
  const region = device.regions[Math.floor(fileOffset / offsetShift)];
  if (region === undefined) throw new Error(`the fake device has no region at ${fileOffset}`);
  return { region, offset: fileOffset % offsetShift };
}

/** `VFIO_REGION_INFO_FLAG_*` */
export const RegionFlag = { read: 1, write: 2, mmap: 4, all: 7 } as const;
/** `VFIO_IRQ_INFO_*` */
export const IrqFlag = { eventfd: 1, maskable: 2, automasked: 4, noResize: 8 } as const;

function region(size: number, flags: number): FakeRegion {
  return { flags, bytes: new Uint8Array(size), capabilities: [] };
}

/** A little of everything: a memory BAR, an I/O port BAR, a BAR with the MSI-X table, a ROM, all kinds of interrupts. */
export function fakeNic(): FakeDevice {
  const rom = region(0x1000, RegionFlag.read);
  rom.bytes.set([0x55, 0xaa]);
  const config = region(4096, RegionFlag.read | RegionFlag.write);
  config.bytes.set(fakeConfig());
  const kinds = [
    { count: 1, flags: IrqFlag.eventfd | IrqFlag.maskable | IrqFlag.automasked },
    { count: 1, flags: IrqFlag.eventfd | IrqFlag.noResize },
    { count: 5, flags: IrqFlag.eventfd | IrqFlag.noResize },
    { count: 1, flags: IrqFlag.eventfd },
    { count: 1, flags: IrqFlag.eventfd },
  ];
  return {
    info: { flags: 3, regionCount: 9, irqCount: 5, capabilities: [] },
    regions: [
      region(0x4000, RegionFlag.all),
      region(0, 0),
      region(0x20, RegionFlag.read | RegionFlag.write),
      region(0x4000, RegionFlag.all),
      region(0, 0),
      region(0, 0),
      rom,
      config,
      region(0, 0),
    ],
    irqs: kinds,
  };
}

/** Where the fake's capabilities lie in config space. */
export const At = { power: 0x40, msi: 0x50, msix: 0x60, pcie: 0x70, aer: 0x100, serial: 0x140 } as const;

function fakeConfig(): Uint8Array {
  const bytes = new Uint8Array(4096);
  const view = new DataView(bytes.buffer);
  const u16 = (offset: number, value: number): void => view.setUint16(offset, value, true);
  const u32 = (offset: number, value: number): void => view.setUint32(offset, value, true);
  u16(0x00, 0x8086);
  u16(0x02, 0x10d3);
  u16(0x06, 0x10); // a capability list
  u32(0x08, 0x0200_0003); // class 0x020000, revision 3
  u32(0x18, 0x1); // BAR2: I/O ports
  u16(0x2c, 0x8086);
  u16(0x2e, 0xa01f);
  bytes[0x34] = At.power;
  const standard = [
    [At.power, 0x01],
    [At.msi, 0x05],
    [At.msix, 0x11],
    [At.pcie, 0x10],
  ] as const;
  for (const [i, [offset, id]] of standard.entries()) bytes.set([id, standard[i + 1]?.[0] ?? 0], offset);
  u16(At.msix + 2, 5 - 1);
  u32(At.msix + 4, 0x2003); // BAR3, offset 0x2000
  u32(At.aer, (At.serial << 20) | (2 << 16) | 0x0001);
  u32(At.serial, (1 << 16) | 0x0003);
  return bytes;
}

/** Reads a number of `width` bytes, or writes one. */
export function access(device: FakeDevice, at: number, width: number, value?: bigint): bigint {
  const { region, offset } = regionAt(device, at);
  let result = 0n;
  for (let i = 0; i < width; i++) {
    if (value !== undefined) region.bytes[offset + i] = Number((value >> BigInt(8 * i)) & 0xffn);
    result |= BigInt(region.bytes[offset + i] ?? 0xff) << BigInt(8 * i);
  }
  return result;
}

/** What `barMap` hands out for a mapping at that file offset: like the real ones they refuse instead of throwing. */
export function barAccessors(
  device: FakeDevice,
  at: number,
  areas: readonly [start: number, size: number][],
  state: () => { open: boolean; writable: boolean },
): BarAccessors {
  const inside = (offset: number, width: number): boolean =>
    state().open &&
    Number.isSafeInteger(offset) &&
    offset % width === 0 &&
    areas.some(([start, size]) => offset >= start && offset + width <= start + size);
  const read = (offset: number, width: number): bigint | undefined =>
    inside(offset, width) ? access(device, at + offset, width) : undefined;
  const readNumber = (offset: number, width: number): number | undefined => {
    const value = read(offset, width);
    return value === undefined ? undefined : Number(value);
  };
  const write = (offset: number, width: number, value: bigint): boolean => {
    if (!state().writable || !inside(offset, width)) return false;
    access(device, at + offset, width, value);
    return true;
  };
  return {
    read8: offset => readNumber(offset, 1),
    read16: offset => readNumber(offset, 2),
    read32: offset => readNumber(offset, 4),
    read64: offset => read(offset, 8),
    write8: (offset, value) => write(offset, 1, BigInt(value)),
    write16: (offset, value) => write(offset, 2, BigInt(value)),
    write32: (offset, value) => write(offset, 4, BigInt(value)),
    write64: (offset, value) => write(offset, 8, value),
  };
}
