import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

const pageSize = 4096;
const entryBytes = 8;
const present = 1n << 63n;

/** The kernel's flags of the area of memory around `address`, as in /proc/PID/smaps: `dc` keeps it out of forked children. None where nothing is mapped. */
export function flagsAt(address: bigint): string[] {
  let inside = false;
  for (const line of readFileSync('/proc/self/smaps', 'utf8').split('\n')) {
    const [, start, end] = /^([0-9a-f]+)-([0-9a-f]+) /.exec(line) ?? [];
    if (start !== undefined) inside = address >= BigInt(`0x${start}`) && address < BigInt(`0x${end ?? '0'}`);
    else if (inside && line.startsWith('VmFlags:')) return line.slice('VmFlags:'.length).trim().split(' ');
  }
  return [];
}

/**
 * How many of these bytes have memory behind them at this moment, by /proc/self/pagemap: exact, where the resident size
 * of a whole process moves with everything else it does.
 */
export function residentBytes(address: bigint, length: number): number {
  const entries = new BigUint64Array(length / pageSize);
  const pagemap = openSync('/proc/self/pagemap', 'r');
  try {
    readSync(pagemap, entries, 0, entries.byteLength, (address / BigInt(pageSize)) * BigInt(entryBytes));
  } finally {
    closeSync(pagemap);
  }
  return entries.reduce((bytes, entry) => ((entry & present) === 0n ? bytes : bytes + pageSize), 0);
}
