import { closeSync, ftruncateSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type BarHandle, type DeviceHandle, type EventFdHandle, native } from '../../lib/native.js';

const page = 4096;

/**
 * A file in a device's place. The native layer maps any that it is given, and an access beyond the file's end is SIGBUS, as
 * one to a device that does not answer: the same signal, from the same place in the kernel.
 */
export class FileDevice implements Disposable {
  readonly size = 4 * page;
  readonly handle: DeviceHandle;
  /** Signalled by each mapping that dies. */
  readonly gone: EventFdHandle = native().eventFdCreate();
  readonly #fd: number;

  constructor() {
    const file = path.join(tmpdir(), `vfio-device-${process.pid}-${process.hrtime.bigint()}`);
    this.#fd = openSync(file, 'wx+');
    this.handle = native().deviceOpenCdev(file, false) as DeviceHandle;
    unlinkSync(file);
    this.answer();
  }

  map(): BarHandle {
    return native().barMap(this.handle, 0, this.size, [[0, this.size]], true, this.gone);
  }

  /** Every access is SIGBUS from here on. */
  die(): void {
    ftruncateSync(this.#fd, 0);
  }

  /** The first word of each page is its number plus 1, the others are 0. */
  answer(): void {
    ftruncateSync(this.#fd, this.size);
    for (let i = 0; i < this.size / page; i++) writeSync(this.#fd, Uint32Array.of(i + 1), 0, 4, i * page);
  }

  /** How often mappings died since the last time. */
  deaths(): number {
    return native().eventFdTake(this.gone);
  }

  [Symbol.dispose](): void {
    native().deviceClose(this.handle, false);
    native().eventFdClose(this.gone);
    closeSync(this.#fd);
  }
}
