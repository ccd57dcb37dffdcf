/** Live facts of this machine and process that explain a failure. Each is read when asked, none is remembered. */
import * as fs from 'node:fs';

function read(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** What this process may lock (RLIMIT_MEMLOCK) and has locked and pinned so far, in bytes. */
export interface MemlockFacts {
  soft: number;
  hard: number;
  locked: number;
  pinned: number;
  /** CAP_IPC_LOCK: the limit does not apply. */
  exempt: boolean;
}

export function memlock(): MemlockFacts {
  const line = /^Max locked memory\s+(\S+)\s+(\S+)/m.exec(read('/proc/self/limits') ?? '');
  const limit = (text: string | undefined): number =>
    text === undefined || text === 'unlimited' ? Infinity : Number(text);
  return {
    soft: limit(line?.[1]),
    hard: limit(line?.[2]),
    locked: statusKilobytes('VmLck') * 1024,
    pinned: statusKilobytes('VmPin') * 1024,
    exempt: hasCapability(Capability.IpcLock),
  };
}

function statusKilobytes(field: string): number {
  const match = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(read('/proc/self/status') ?? '');
  return Number(match?.[1] ?? 0);
}

/** Bit numbers of linux/capability.h. */
export const Capability = { IpcLock: 14, SysRawio: 17 } as const;

/** Whether this process holds the capability now (its effective set). */
export function hasCapability(bit: number): boolean {
  const match = /^CapEff:\s+([0-9a-f]+)/m.exec(read('/proc/self/status') ?? '');
  return match?.[1] !== undefined && ((BigInt(`0x${match[1]}`) >> BigInt(bit)) & 1n) === 1n;
}

/** The kernel's `vfio_iommu_type1.dma_entry_limit`: how many DMA mappings one container may hold. */
export function dmaEntryLimit(): number {
  return Number(read('/sys/module/vfio_iommu_type1/parameters/dma_entry_limit') ?? 65535);
}

/** Whether the kernel runs with an IOMMU that VFIO can use: it then has made at least one IOMMU group. */
export function iommuGroupCount(): number {
  try {
    return fs.readdirSync('/sys/kernel/iommu_groups').length;
  } catch {
    return 0;
  }
}

/**
 * Whether a group is one that VFIO made up for a device without an IOMMU. Those of mediated devices have the same name in
 * sysfs but nothing to fear: their drivers reach only the memory they are shown.
 */
export function noIommuGroup(group: number): boolean {
  return (
    read(`/sys/kernel/iommu_groups/${group}/name`) === 'vfio-noiommu' && !fs.existsSync(`/dev/vfio/${group}`)
  );
}

/** The IOMMUs of this machine, by their names in sysfs. */
export function iommus(): readonly string[] {
  try {
    return fs.readdirSync('/sys/class/iommu');
  } catch {
    return [];
  }
}

/** Whether the kernel makes groups for devices without an IOMMU. */
export function allowsNoIommu(): boolean {
  return read('/sys/module/vfio/parameters/enable_unsafe_noiommu_mode') === 'Y';
}

export function allowsUnsafeInterrupts(): boolean {
  return read('/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts') === 'Y';
}

export function moduleLoaded(name: string): boolean {
  return fs.existsSync(`/sys/module/${name}`);
}

export function kernelRelease(): string {
  return read('/proc/sys/kernel/osrelease') ?? 'unknown';
}

/** Whether the running kernel is of that release or a later one: `'6.13'`. */
export function kernelIsAtLeast(version: string): boolean {
  const [major = 0, minor = 0] = kernelRelease()
    .split('.')
    .map(part => parseInt(part, 10));
  const [wantedMajor = 0, wantedMinor = 0] = version.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/** Who owns a device node and who may open it; `undefined` when it is not there. */
export function nodeFacts(path: string): { owner: number; group: number; mode: string } | undefined {
  try {
    const { uid, gid, mode } = fs.statSync(path);
    return { owner: uid, group: gid, mode: (mode & 0o777).toString(8).padStart(4, '0') };
  } catch {
    return undefined;
  }
}

/** Huge pages of that size: how many exist and how many are free. */
export function hugePages(pageSize: number): { total: number; free: number } | undefined {
  const directory = hugePageDirectory(pageSize);
  const total = read(`${directory}/nr_hugepages`);
  const free = read(`${directory}/free_hugepages`);
  return total === undefined || free === undefined ? undefined : { total: Number(total), free: Number(free) };
}

export function hugePageDirectory(pageSize: number): string {
  return `/sys/kernel/mm/hugepages/hugepages-${pageSize / 1024}kB`;
}
