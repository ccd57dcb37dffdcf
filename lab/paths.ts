import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';

/** The checkout's root; this file runs as dist/lab/paths.js. */
export const packageRoot = path.join(__dirname, '..', '..');

/** Sources of what runs inside the guest. */
export const guestSources = path.join(packageRoot, 'lab', 'guest');

/** Sources of what the lab runs on the host. */
export const hostSources = path.join(packageRoot, 'lab', 'host');

/** What the kernels that are built here shall be able to do. */
export const kernelConfigs = path.join(packageRoot, 'lab', 'kernel-config');

/**
 * Where kernels, the initramfs and verdicts are kept between runs: outside the checkout, which may be read-only.
 * An explicitly named place is taken at its word; of the usual ones the first that holds something already or can be
 * written is.
 */
export function cacheDirectory(): string {
  const named = process.env['VFIO_LAB_CACHE'];
  if (named) return path.resolve(named);
  const candidates = [
    path.join(process.env['XDG_CACHE_HOME'] ?? path.join(homedir(), '.cache'), 'vfio-lab'),
    path.join(tmpdir(), 'vfio-lab-cache'),
  ];
  const usable = (directory: string): boolean =>
    existsSync(path.join(directory, 'kernels')) || isWritable(directory);
  return candidates.find(usable) ?? path.join('/dev/shm', 'vfio-lab-cache');
}

/** A directory for the files of one run; on a read-only root there is at least memory. */
export function temporaryRoot(): string {
  return [tmpdir(), '/dev/shm'].find(isWritable) ?? tmpdir();
}

function isWritable(directory: string): boolean {
  try {
    mkdirSync(directory, { recursive: true });
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
