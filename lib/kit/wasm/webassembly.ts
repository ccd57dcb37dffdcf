/** What of WebAssembly the kit uses: the types that come with Node do not have it. */
export interface WasmMemory {
  readonly buffer: SharedArrayBuffer;
}

interface WebAssemblyApi {
  Memory: new (size: { initial: number; maximum: number; shared: true }) => WasmMemory;
  Module: new (bytes: Uint8Array) => object;
  Instance: new (
    module: object,
    imports: Record<string, Record<string, unknown>>,
  ) => { exports: Record<string, unknown> };
}

export const wasm = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;
