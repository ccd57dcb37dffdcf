import assert from 'node:assert/strict';
import type { Container, Device, Group } from 'vfio';

/** The group and the container of a device that was opened by its group, as all are on kernels without cdevs. */
export function byGroup(device: Device): { group: Group; container: Container } {
  const { group, container } = device;
  assert.ok(group !== undefined && container !== undefined, `${device.address} was opened by its cdev`);
  return { group, container };
}
