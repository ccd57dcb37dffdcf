import * as fs from 'node:fs';
import * as path from 'node:path';

/** The machine this runs on; undefined outside the lab. */
export const profile = process.env['LAB_PROFILE'];

/** The names in a directory; none when there is no such directory. */
export function names(directory: string): string[] {
  return fs.existsSync(directory) ? fs.readdirSync(directory) : [];
}

/** Binds a device to vfio-pci through sysfs alone; returns what gives it back. */
export function bindByHand(address: string): () => void {
  const device = `/sys/bus/pci/devices/${address}`;
  const driver = path.join(device, 'driver');
  const unbind = (): void => {
    if (fs.existsSync(driver)) fs.writeFileSync(path.join(driver, 'unbind'), address);
  };
  unbind();
  fs.writeFileSync(path.join(device, 'driver_override'), 'vfio-pci');
  fs.writeFileSync('/sys/bus/pci/drivers_probe', address);
  return () => {
    unbind();
    fs.writeFileSync(path.join(device, 'driver_override'), '\n');
    fs.writeFileSync('/sys/bus/pci/drivers_probe', address);
  };
}

/** The number of a device's IOMMU group. */
export function groupOf(device: string): string {
  return path.basename(fs.readlinkSync(path.join(device, 'iommu_group')));
}

/** The device's node below /dev/vfio/devices, where the kernel has those. */
export function cdevOf(device: string): string | undefined {
  return names(path.join(device, 'vfio-dev'))[0];
}

/** Asserts nothing: waits until `condition` holds, at most a second. */
export async function until(condition: () => boolean): Promise<void> {
  for (let rounds = 0; rounds < 100 && !condition(); rounds++) {
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}
