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
