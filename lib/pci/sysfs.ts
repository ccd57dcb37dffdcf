/** What sysfs says about devices and IOMMU groups, one small question each. */
import * as fs from 'node:fs';
import * as path from 'node:path';
import { isUuid } from '../uuid';

const devices = '/sys/bus/pci/devices';

/** Of a PCI function by its address, or of a mediated device by its UUID. */
export function devicePath(address: string): string {
  return isUuid(address) ? `/sys/bus/mdev/devices/${address}` : `${devices}/${address}`;
}

export function driverPath(driver: string): string {
  return `/sys/bus/pci/drivers/${driver}`;
}

export function deviceAddresses(): string[] {
  try {
    return fs.readdirSync(devices).sort();
  } catch {
    return [];
  }
}

export function deviceExists(address: string): boolean {
  return fs.existsSync(devicePath(address));
}

/** A one-line attribute, or `undefined` where the device or the attribute is not there. */
export function attribute(address: string, name: string): string | undefined {
  try {
    return fs.readFileSync(`${devicePath(address)}/${name}`, 'utf8').trim();
  } catch {
    return undefined;
  }
}

export function numericAttribute(address: string, name: string): number | undefined {
  const text = attribute(address, name);
  return text === undefined || text === '' ? undefined : Number(text);
}

/** The driver a device is bound to now. */
export function driverOf(address: string): string | undefined {
  return linkName(`${devicePath(address)}/driver`);
}

/** The number of the IOMMU group a device belongs to; `undefined` without an IOMMU. */
export function groupOf(address: string): number | undefined {
  const name = linkName(`${devicePath(address)}/iommu_group`);
  return name === undefined ? undefined : Number(name);
}

/** The addresses of every device in an IOMMU group; empty when there is no such group. */
export function groupMembers(group: number): string[] {
  try {
    return fs.readdirSync(`/sys/kernel/iommu_groups/${group}/devices`).sort();
  } catch {
    return [];
  }
}

function linkName(link: string): string | undefined {
  try {
    return path.basename(fs.readlinkSync(link));
  } catch {
    return undefined;
  }
}

/**
 * Drivers that may hold a member of a group that userspace owns: they do no DMA of their own, or none that the kernel
 * objects to (`driver_managed_dma` in the kernel; vfio_dev_driver_allowed before 5.19).
 */
const harmless = new Set(['vfio-pci', 'pci-stub', 'pcieport', 'shpchp', 'xen-pciback']);

/** The members of a group whose driver keeps userspace out of it. */
export function membersInTheWay(group: number): { address: string; driver: string }[] {
  return groupMembers(group).flatMap(address => {
    const driver = driverOf(address);
    return driver === undefined || harmless.has(driver) || driver.startsWith('vfio')
      ? []
      : [{ address, driver }];
  });
}
