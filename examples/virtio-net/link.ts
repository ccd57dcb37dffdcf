/** What the configuration of the device says (5.1.4): its address, and its link. */
import { type LinkState } from 'vfio/kit';
import { type Features } from './initialization.js';
import { Feature } from './registers.js';
import { type Transport } from './transport.js';

/** Bit 31 of a speed that nobody knows. */
const UNKNOWN_SPEED = 0x8000_0000;
const HALF_DUPLEX = 0;

/** Reads several fields of the configuration as they were at one moment (2.5.1). */
function consistently<T>({ common }: Transport, read: () => T): T {
  for (;;) {
    const generation = common.CONFIG_GENERATION.read();
    const value = read();
    if (common.CONFIG_GENERATION.read() === generation) return value;
  }
}

/** @throws Error when the device has none of its own */
export function readMacAddress(transport: Transport, features: Features): Uint8Array {
  if (!features.has(Feature.MAC)) throw new Error('The virtio device has no address of its own.');
  return consistently(transport, () =>
    Uint8Array.from(transport.net.MAC, (register: { read(): number }) => register.read()),
  );
}

/** A device that does not tell is up (5.1.5); a speed that it does not tell is 0. */
export function linkState(transport: Transport, features: Features): LinkState {
  const { net, speed } = transport;
  return consistently(transport, () => {
    const up = !features.has(Feature.STATUS) || net.STATUS.get('LINK_UP') === 1;
    if (speed === undefined || !features.has(Feature.SPEED_DUPLEX)) return { up, speed: 0, fullDuplex: true };
    const megabits = speed.SPEED.read();
    return {
      up,
      speed: megabits >= UNKNOWN_SPEED ? 0 : megabits,
      fullDuplex: speed.DUPLEX.read() !== HALF_DUPLEX,
    };
  });
}
