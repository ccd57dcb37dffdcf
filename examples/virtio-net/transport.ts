/** Finding the device's structures (4.1.4): vendor-specific capabilities say in which BAR each is, and where. */
import { type Device, type Mapping } from 'vfio';
import {
  type CommonRegisters,
  commonRegisters,
  type NetRegisters,
  netRegisters,
  type SpeedRegisters,
  speedRegisters,
  Structure,
} from './registers.js';

/** The id of vendor-specific capabilities (PCI Local Bus Specification 3.0, appendix H). */
const VENDOR_SPECIFIC = 0x09;

/** Where a capability has its fields. */
const Cap = { LENGTH: 2, TYPE: 3, BAR: 4, OFFSET: 8, STRUCTURE_LENGTH: 12, NOTIFY_MULTIPLIER: 16 } as const;

interface Place {
  readonly bar: number;
  readonly offset: number;
  readonly length: number;
  /** Where its capability is in config space. */
  readonly capability: number;
}

/** The registers of a device, and where its queues are notified. */
export interface Transport {
  readonly common: CommonRegisters;
  readonly net: NetRegisters;
  /** Only of use with the feature that says so. */
  readonly speed: SpeedRegisters | undefined;
  /** Where to write that a queue has new buffers (4.1.4.4). @param notifyOff of that queue: QUEUE_NOTIFY_OFF */
  doorbell(notifyOff: number): Notifier;
}

/** The register of one queue, or of several, that takes the number of a queue (4.1.5.2). */
export interface Notifier {
  notify(queue: number): void;
}

/** @throws Error when a structure is missing: the device then is of before 1.0 */
export function findTransport(device: Device): Transport {
  const places = readPlaces(device);
  const need = (type: number, name: string): Place => {
    const place = places.get(type);
    if (place === undefined)
      throw new Error(`${device.address} has no ${name} structure: it is no virtio 1.x device.`);
    return place;
  };
  const mappings = new Map<number, Mapping>();
  const map = ({ bar }: Place): Mapping => {
    const mapping = mappings.get(bar) ?? device.bar(bar).map();
    mappings.set(bar, mapping);
    return mapping;
  };

  const common = need(Structure.COMMON, 'common configuration');
  const net = need(Structure.DEVICE, 'device configuration');
  const notify = need(Structure.NOTIFY, 'notification');
  const multiplier = device.config.read32(notify.capability + Cap.NOTIFY_MULTIPLIER);
  const bells = map(notify);
  return {
    common: commonRegisters(common.offset).over(map(common)),
    net: netRegisters(net.offset).over(map(net)),
    speed: net.length >= 0x11 ? speedRegisters(net.offset).over(map(net)) : undefined,
    doorbell: notifyOff => {
      const at = notifyOff * multiplier;
      if (at + 2 > notify.length)
        throw new Error(`${device.address} has a queue notified beyond its structure.`);
      return { notify: queue => bells.write16(notify.offset + at, queue) };
    },
  };
}

/** The first place of each kind of structure; the device prefers it to any further one (4.1.4.1). */
function readPlaces({ config }: Device): Map<number, Place> {
  const places = new Map<number, Place>();
  for (const { id, extended, offset: capability } of config.capabilities()) {
    if (id !== VENDOR_SPECIFIC || extended) continue;
    const type = config.read8(capability + Cap.TYPE);
    const bar = config.read8(capability + Cap.BAR);
    // Other values are reserved, and such a capability is to be ignored.
    if (bar > 5 || places.has(type)) continue;
    places.set(type, {
      bar,
      capability,
      offset: config.read32(capability + Cap.OFFSET),
      length: config.read32(capability + Cap.STRUCTURE_LENGTH),
    });
  }
  return places;
}
