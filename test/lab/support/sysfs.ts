import * as fs from 'node:fs';
import * as path from 'node:path';
import { lastly } from './suite';

/** The driver a device is bound to, as sysfs says it and without the library's help. */
export function driverOf(address: string): string | undefined {
  try {
    return path.basename(fs.readlinkSync(`/sys/bus/pci/devices/${address}/driver`));
  } catch {
    return undefined;
  }
}

export function drivers(addresses: readonly string[]): Record<string, string | undefined> {
  return Object.fromEntries(addresses.map(address => [address, driverOf(address)]));
}

/** Moves devices that are elsewhere back to the drivers they had. */
export function putBack(before: Record<string, string | undefined>): void {
  for (const [address, driver] of Object.entries(before)) {
    const now = driverOf(address);
    if (now === driver) continue;
    fs.writeFileSync(`/sys/bus/pci/devices/${address}/driver_override`, '\n');
    if (now !== undefined) fs.writeFileSync(`/sys/bus/pci/drivers/${now}/unbind`, address);
    if (driver !== undefined) fs.writeFileSync(`/sys/bus/pci/drivers/${driver}/bind`, address);
  }
}

export function groupOf(address: string): number {
  return Number(path.basename(fs.readlinkSync(`/sys/bus/pci/devices/${address}/iommu_group`)));
}

/** Where a parameter of the kernel or one of its modules is. */
export const parameter = {
  dmaEntryLimit: '/sys/module/vfio_iommu_type1/parameters/dma_entry_limit',
  hugePages2M: '/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages',
  hugePages1G: '/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages',
} as const;

/** Sets a parameter for the tests of a suite, and puts it back afterwards. */
export function withParameter(file: string, value: string): void {
  let previous: string;
  before(`set ${path.basename(file)} to ${value}`, () => {
    previous = fs.readFileSync(file, 'utf8').trim();
    fs.writeFileSync(file, value);
  });
  lastly(`put ${path.basename(file)} back`, () => fs.writeFileSync(file, previous));
}

/** The command register of a device as it really is, past the view of it that VFIO gives its user. */
export function readCommand(address: string): number {
  return withConfig(address, 'r', (file, bytes) => {
    fs.readSync(file, bytes, 0, 2, 4);
    return bytes.readUInt16LE();
  });
}

export function writeCommand(address: string, value: number): void {
  withConfig(address, 'r+', (file, bytes) => {
    bytes.writeUInt16LE(value);
    fs.writeSync(file, bytes, 0, 2, 4);
  });
}

function withConfig<T>(address: string, flags: string, use: (file: number, bytes: Buffer) => T): T {
  const file = fs.openSync(`/sys/bus/pci/devices/${address}/config`, flags);
  try {
    return use(file, Buffer.alloc(2));
  } finally {
    fs.closeSync(file);
  }
}

/** Bits of the command register. */
export const Command = { MEMORY: 1 << 1, BUS_MASTER: 1 << 2, INTX_DISABLE: 1 << 10 } as const;
