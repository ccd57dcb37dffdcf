/** The state of the link as the STATUS register of Intel's gigabit controllers tells it (82574: 10.2.2.2). */
import { bit, bits, type LinkState, type ReadOnlyRegister } from 'vfio/kit';

/** The fields of STATUS that are about the link. */
export const linkFields = { FULL_DUPLEX: bit(0), LINK_UP: bit(1), SPEED: bits(7, 6) } as const;

const SPEEDS = [10, 100, 1000, 1000];

export function linkState({ STATUS }: { readonly STATUS: ReadOnlyRegister<typeof linkFields> }): LinkState {
  const status = STATUS.read();
  return {
    up: STATUS.extract('LINK_UP', status) === 1,
    speed: SPEEDS[STATUS.extract('SPEED', status)] ?? 0,
    fullDuplex: STATUS.extract('FULL_DUPLEX', status) === 1,
  };
}
