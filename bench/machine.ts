import * as os from 'node:os';

/** What a figure has to be read with. */
export interface Machine {
  cpu: string;
  cpus: number;
  memoryMiB: number;
  kernel: string;
  node: string;
  v8: string;
}

/** The machine that this process runs on. */
export function describeMachine(): Machine {
  const cpus = os.cpus();
  return {
    cpu: cpus[0]?.model.trim() ?? 'unknown',
    cpus: cpus.length,
    memoryMiB: Math.round(os.totalmem() / 2 ** 20),
    kernel: os.release(),
    node: process.version,
    v8: process.versions.v8,
  };
}

/** What runs the lab's virtual processors: QEMU names them after itself when it emulates them. */
export function accelerator(guest: Machine): string {
  return guest.cpu.includes('TCG') ? 'TCG (emulation)' : 'KVM';
}
