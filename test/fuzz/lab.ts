/** The world of the lab's virtual machine: its devices, on the kernel's VFIO. */
import {
  bindDevice,
  Container,
  Device,
  EventFd,
  Group,
  Mapping,
  Region,
  PciConfig,
  listDevices,
} from '../../lib/index.js';
import { devices } from '../../lab/devices.js';
import type { World } from './world.js';

/** Those that QEMU emulates without stopping at what no driver would do to them. */
const sturdy: readonly string[] = [devices.testdev, devices.pairTestdev];

/** Binds the devices; they are given back when the process ends. */
export async function labWorld(): Promise<World> {
  const candidates = [
    devices.edu,
    devices.testdev,
    devices.nicA,
    devices.nvme,
    devices.pairEdu,
    devices.pairTestdev,
  ];
  const present = new Set(listDevices().map(({ address }) => address));
  const addresses = candidates.filter(address => present.has(address));
  for (const address of addresses) await bindDevice(address);
  return {
    strings: [...addresses, ...addresses, 'ffff:1f:1f.7', 'vfio-pci', 'MSI-X', 'Type1v2', ''],
    failing: [
      'VFIO_IOMMU_MAP_DMA',
      'VFIO_DEVICE_SET_IRQS',
      'VFIO_DEVICE_GET_REGION_INFO',
      'VFIO_GROUP_SET_CONTAINER',
      'open',
      'mmap',
      'madvise',
      'eventfd',
      'epoll_ctl',
    ],
    reset: () => undefined,
    make: (random, keep) => {
      const address = random.pick(addresses);
      const what = random.below(8);
      if (what === 0) keep(new EventFd());
      if (what > 2) keep(Device.openSync(address));
      if (what === 0 || what > 2) return;
      const container = keep(Container.open());
      const group = keep(Group.open(address));
      container.attach(group);
      container.setIommu();
    },
    allowed,
    patienceMs: 60_000,
  };
}

/** Registers of the others are read only: a wrong write stops QEMU, not the process that is tried here. */
function allowed(target: unknown, method: string): boolean {
  if (/^bindDevice|^hotReset/.test(method)) return false;
  if (!/^write|^ioeventfd$/.test(method) || target instanceof PciConfig) return true;
  const region = target instanceof Mapping ? regionOf(target) : target;
  if (region === undefined) return false;
  return !(region instanceof Region) || sturdy.includes(region.address);
}

/** Unknown of a mapping that was adopted. */
function regionOf(mapping: Mapping): Region | undefined {
  try {
    return mapping.region;
  } catch {
    return undefined;
  }
}
