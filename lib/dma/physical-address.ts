import * as fs from 'node:fs';
import { VfioError } from '../errors/vfio-error';
import { native } from '../native';
import { hex } from '../validate';

/** Bits of an entry of /proc/self/pagemap (Documentation/admin-guide/mm/pagemap.rst). */
const frameBits = (1n << 55n) - 1n;
const present = 1n << 63n;

/**
 * Where a page of this process lies in physical memory, from `/proc/self/pagemap`.
 *
 * @throws VfioError `EPERM` without CAP_SYS_ADMIN: the kernel then hides page frame numbers
 */
export function physicalAddress(virtual: bigint): bigint {
  const page = BigInt(native().pageSize);
  const entry = Buffer.alloc(8);
  const file = fs.openSync('/proc/self/pagemap', 'r');
  try {
    fs.readSync(file, entry, 0, 8, (virtual / page) * 8n);
  } finally {
    fs.closeSync(file);
  }
  const bits = entry.readBigUInt64LE();
  const frame = bits & frameBits;
  if ((bits & present) !== 0n && frame !== 0n) return frame * page + (virtual % page);
  throw new VfioError(`The physical address of ${hex(virtual)} is not known`, {
    code: 'EPERM',
    path: '/proc/self/pagemap',
    likelyCause: 'this process lacks CAP_SYS_ADMIN, so the kernel hides page frame numbers',
    cure: 'run as root, or with that capability',
  });
}
