import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { lastly } from './suite';

/** The kernel's sample drivers of mediated devices, each with the types of device it makes. */
const parents = {
  'mtty-1': 'mtty',
  'mtty-2': 'mtty',
  'mdpy-vga': 'mdpy',
  'mbochs-small': 'mbochs',
} as const;

/**
 * mtty: a serial card with one port or two, which can be migrated. mdpy: a display of 640 × 480 in a region. mbochs: one in
 * dma-bufs.
 */
export type MdevType = keyof typeof parents;

/** Makes mediated devices for the tests of a suite, and removes them afterwards. Returns what they are opened by. */
export function mediated<Types extends MdevType[]>(...types: Types): { [I in keyof Types]: string } {
  const uuids = types.map(() => randomUUID());
  const made: string[] = [];
  before(`make ${types.join(', ')}`, () => {
    for (const [i, type] of types.entries()) {
      const directory = `/sys/class/mdev_bus/${parents[type]}/mdev_supported_types/${type}`;
      const uuid = uuids[i] as string;
      fs.writeFileSync(`${directory}/create`, uuid);
      made.push(uuid);
    }
  });
  lastly(`remove ${types.join(', ')}`, () => {
    for (const uuid of made.splice(0).reverse())
      fs.writeFileSync(`/sys/bus/mdev/devices/${uuid}/remove`, '1');
  });
  return uuids as { [I in keyof Types]: string };
}
