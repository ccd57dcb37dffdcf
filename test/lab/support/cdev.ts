import * as fs from 'node:fs';
import { devices } from '../../../lab/devices';
import type { Needs } from '../../support/needs';

/** What tests need of devices that are opened by nodes of their own: those of the built kernels' machines with an IOMMU. */
export const cdevMachine: Needs = {
  iommu: true,
  iommufd: true,
  feature: 'deviceCdev',
  devices: [devices.nicA, devices.nicB, devices.edu, devices.pairEdu, devices.pairTestdev],
};

/** The node of a device, as sysfs says it and without the library's help. */
export function nodeOf(address: string): string {
  const [name = ''] = fs.readdirSync(`/sys/bus/pci/devices/${address}/vfio-dev`);
  return `/dev/vfio/devices/${name}`;
}
