import { readdirSync, readFileSync } from 'node:fs';

/** What this process holds of the kernel. The engine's own memory comes and goes by a few megabytes at a time. */
export interface Resources {
  files: number;
  mappings: number;
  /** Bytes of address space. */
  mapped: number;
}

export function resources(): Resources {
  return {
    files: readdirSync('/proc/self/fd').length,
    mappings: readFileSync('/proc/self/maps', 'utf8').split('\n').length - 1,
    mapped: Number(/^VmSize:\s+(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]) * 1024,
  };
}

/** Collects garbage until finalizers have run. Needs --expose-gc. */
export async function collectGarbage(): Promise<void> {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await new Promise(resolve => setImmediate(resolve));
  }
}
