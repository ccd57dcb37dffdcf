import { closeSync, ftruncateSync, openSync, readFileSync, unlinkSync } from 'node:fs';
import path from 'node:path';
import { temporaryRoot } from '../../lab/paths.js';
import { Mapping } from '../../lib/mapping.js';
import { type DeviceHandle, native } from '../../lib/native.js';
import type { Region } from '../../lib/region.js';

/**
 * A mapping of the library over memory that is no device's: of a file, since the native layer maps any that it is given as a
 * device's. All that is between a register access and the memory is the real thing; only the kernel's VFIO is not there.
 */
export class FileBar implements Disposable {
  readonly mapping: Mapping;
  /** Where it lies in this process. */
  readonly address: bigint;
  readonly #device: DeviceHandle;

  constructor(readonly size: number) {
    const file = path.join(temporaryRoot(), `vfio-bar-${process.pid}-${performance.now()}`);
    const fd = openSync(file, 'wx+');
    try {
      ftruncateSync(fd, size);
      this.#device = native().deviceOpenCdev(file, false) as DeviceHandle;
    } finally {
      closeSync(fd);
      unlinkSync(file);
    }
    const bar = native().barMap(this.#device, 0, size, [[0, size]], true, native().eventFdCreate());
    // What a mapping asks its region is for its error messages only.
    const region = { name: 'BAR0', address: 'a file', closed: false } as unknown as Region;
    this.mapping = new Mapping(region, 0, size, [[0, size]], true, bar);
    this.address = addressOf(file);
  }

  [Symbol.dispose](): void {
    this.mapping.close();
    native().deviceClose(this.#device, false);
  }
}

function addressOf(file: string): bigint {
  const line = readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .find(text => text.includes(file));
  if (line === undefined) throw new Error(`${file} is not mapped`);
  return BigInt(`0x${line.split('-')[0] ?? ''}`);
}
