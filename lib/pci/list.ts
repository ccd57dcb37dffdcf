import { VfioError } from '../errors/vfio-error';
import { parseAddress } from './address';
import {
  attribute,
  deviceAddresses,
  deviceExists,
  driverOf,
  groupMembers,
  groupOf,
  numericAttribute,
} from './sysfs';
import { className } from './class-names';

/** A PCI function of this machine as sysfs describes it. Plain frozen data; read anew at each call. */
export interface PciDevice {
  /** `'0000:03:00.0'` */
  readonly address: string;
  readonly vendorId: number;
  readonly deviceId: number;
  readonly subsystemVendorId: number;
  readonly subsystemDeviceId: number;
  readonly revision: number;
  /** The 24-bit class code: base class, subclass, programming interface. 0x020000 is an Ethernet controller. */
  readonly classCode: number;
  /** The class in words: `'Ethernet controller'`, or the number where it has no common name. */
  readonly className: string;
  /** The driver it is bound to, if any. */
  readonly driver: string | undefined;
  /** Its IOMMU group; `undefined` when the machine runs without an IOMMU. */
  readonly group: number | undefined;
  /** Every member of that group, itself included: what must be given to userspace together. */
  readonly groupMembers: readonly string[];
  /** The memory node it is closest to; `undefined` on machines without NUMA. */
  readonly numaNode: number | undefined;
}

/** Every PCI function of this machine, ordered by address. Works without any privilege. */
export function listDevices(): PciDevice[] {
  return deviceAddresses().flatMap(address => describe(address) ?? []);
}

/**
 * One PCI function.
 *
 * @throws VfioError `ERR_VFIO_NO_DEVICE` when there is none at that address
 */
export function findDevice(address: string): PciDevice {
  const device = describe(parseAddress(address));
  if (device === undefined) throw noDeviceError(parseAddress(address));
  return device;
}

export function noDeviceError(address: string): VfioError {
  const bus = address.slice(0, 8);
  const near = deviceAddresses().filter(other => other.startsWith(bus));
  return new VfioError(`There is no PCI device ${address}`, {
    code: 'ERR_VFIO_NO_DEVICE',
    address,
    likelyCause:
      near.length === 0
        ? `bus ${bus.slice(0, 7)} has no devices`
        : `on that bus there are ${near.join(', ')}`,
    cure: 'one of listDevices()',
  });
}

function describe(address: string): PciDevice | undefined {
  if (!deviceExists(address)) return undefined;
  const number = (name: string): number => numericAttribute(address, name) ?? 0;
  const group = groupOf(address);
  const node = numericAttribute(address, 'numa_node');
  const classCode = number('class');
  if (attribute(address, 'vendor') === undefined) return undefined; // unplugged while being read
  return Object.freeze({
    address,
    vendorId: number('vendor'),
    deviceId: number('device'),
    subsystemVendorId: number('subsystem_vendor'),
    subsystemDeviceId: number('subsystem_device'),
    revision: number('revision'),
    classCode,
    className: className(classCode),
    driver: driverOf(address),
    group,
    groupMembers: Object.freeze(group === undefined ? [] : groupMembers(group)),
    numaNode: node === undefined || node < 0 ? undefined : node,
  });
}
