import type { Device } from './device';
import { attempt, attemptStep } from './errors/explain';
import { unsupportedError, VfioError } from './errors/vfio-error';
import { Group } from './group';
import { native } from './native';
import type { RawHotResetDevice } from './native-features';
import { driverOf, groupOf } from './pci/sysfs';
import type { Steps } from './steps';

/** A device that a hot reset would reset. */
export interface HotResetMember {
  readonly address: string;
  /** Its IOMMU group. */
  readonly group: number | undefined;
  /** The driver it is on now. */
  readonly driver: string | undefined;
  /** Whether this process owns it, as the reset requires: it is bound to vfio-pci, and its group (or itself) is open. */
  readonly owned: boolean;
}

/** What a hot reset of a device would do (`VFIO_DEVICE_GET_PCI_HOT_RESET_INFO`). */
export interface HotResetPlan {
  /** Every device on the bus or slot that is reset, the device itself included. */
  readonly devices: readonly HotResetMember[];
  /** Whether this process owns all of them. */
  readonly possible: boolean;
}

/** `VFIO_PCI_HOT_RESET_FLAG_*` */
const flags = { deviceIds: 1, owned: 2 } as const;
/** `VFIO_PCI_DEVID_NOT_OWNED`: the device belongs to someone else. */
const notOwned = -1;

export function hotResetPlan(device: Device): HotResetPlan {
  const info = hotResetInfo(device);
  const byDevice = (info.flags & flags.deviceIds) !== 0;
  const devices = info.devices.map(raw => {
    const address = addressOf(raw);
    const group = byDevice ? groupOf(address) : raw.id;
    const driver = driverOf(address);
    const owned = byDevice
      ? (raw.id | 0) !== notOwned
      : group !== undefined && Group.find(group) !== undefined && driver?.includes('vfio') === true;
    return Object.freeze({ address, group, driver, owned });
  });
  const possible = byDevice ? (info.flags & flags.owned) !== 0 : devices.every(one => one.owned);
  return Object.freeze({ devices: Object.freeze(devices), possible });
}

function hotResetInfo(device: Device): { flags: number; devices: RawHotResetDevice[] } {
  const { address, handle } = device;
  try {
    return attempt({ doing: `Planning a hot reset of ${address}`, address }, () =>
      native().hotResetInfo(handle),
    );
  } catch (error) {
    if (!(error instanceof VfioError) || (error.code !== 'ENODEV' && error.code !== 'ENOTTY')) throw error;
    throw unsupportedError(
      `${address} is on no bus and in no slot that could be reset`,
      'device.reset(), if it has a reset of its own',
    );
  }
}

/** `VFIO_DEVICE_PCI_HOT_RESET`: proves by open groups, or by the iommufd, that everything it resets is ours. */
export function* hotResetSteps(device: Device): Steps<void> {
  const plan = hotResetPlan(device);
  if (!plan.possible) {
    const others = plan.devices.filter(one => !one.owned);
    throw new VfioError(
      `A hot reset of ${device.address} would also reset devices that this process does not own`,
      {
        code: 'EPERM',
        address: device.address,
        likelyCause: others
          .map(one => `${one.address} (group ${one.group ?? '?'}) is on ${one.driver ?? 'no driver'}`)
          .join(', '),
        cure: 'open them too: their groups, or by their cdev with the same iommufd',
      },
    );
  }
  const ids = device.group === undefined ? [] : [...new Set(plan.devices.map(one => one.group))];
  const groups = ids.flatMap(id => (id === undefined ? [] : (Group.find(id)?.handle ?? [])));
  yield* attemptStep({ doing: `Hot-resetting ${device.address}`, address: device.address }, async =>
    native().hotReset(device.handle, groups, async),
  );
}

function addressOf({ segment, bus, devfn }: RawHotResetDevice): string {
  const hex = (value: number, digits: number): string => value.toString(16).padStart(digits, '0');
  return `${hex(segment, 4)}:${hex(bus, 2)}:${hex(devfn >> 3, 2)}.${devfn & 7}`;
}
