import { native } from '../../../lib/native';

/** What Node has and the type definitions without a browser lack. */
declare const WebAssembly: {
  Memory: new (descriptor: { initial: number; maximum: number; shared: true }) => {
    buffer: SharedArrayBuffer;
  };
};

/** Shared memory that starts on a page, in units of 64 KiB. A plain SharedArrayBuffer starts anywhere. */
export function wasmMemory(units = 1): SharedArrayBuffer {
  return new WebAssembly.Memory({ initial: units, maximum: units, shared: true }).buffer;
}

/** Where bytes are in this process's address space. */
export function addressOf(bytes: Uint8Array): bigint {
  const memory = native().memoryFromView(bytes);
  const address = native().memoryAddress(memory);
  native().memoryFree(memory);
  return address;
}

/** Whole pages of a plain SharedArrayBuffer, which itself starts where the allocator happens to put it. */
export function wholePages(pages: number): Uint8Array<SharedArrayBuffer> {
  const buffer = new SharedArrayBuffer((pages + 1) * 4096);
  const start = (4096 - Number(addressOf(new Uint8Array(buffer)) % 4096n)) % 4096;
  return new Uint8Array(buffer, start, pages * 4096);
}
