/** One entry of an initramfs: a directory, a file with its contents, or a symbolic link. */
export type CpioEntry =
  | { path: string; type: 'directory' }
  | { path: string; type: 'file'; data: Uint8Array; mode: number }
  | { path: string; type: 'link'; target: string };

const S_IFDIR = 0o040000;
const S_IFREG = 0o100000;
const S_IFLNK = 0o120000;

/**
 * Writes a cpio archive in the "newc" format, the one that the kernel unpacks as an initramfs
 * (Documentation/driver-api/early-userspace/buffer-format.rst). Everything belongs to root and has time 0, so equal
 * contents give equal bytes.
 */
export function writeCpio(entries: readonly CpioEntry[]): Buffer {
  const parts: Buffer[] = [];
  entries.forEach((entry, index) => append(parts, entry, index + 1));
  append(parts, { path: 'TRAILER!!!', type: 'file', data: new Uint8Array(0), mode: 0 }, 0);
  return Buffer.concat(parts);
}

function append(parts: Buffer[], entry: CpioEntry, inode: number): void {
  const name = Buffer.from(`${entry.path}\0`);
  const data = contents(entry);
  const fields = [
    inode,
    mode(entry),
    0, // uid
    0, // gid
    entry.type === 'directory' ? 2 : 1,
    0, // mtime
    data.length,
    0, // major and minor number of the device that holds the file
    0,
    0, // major and minor number of a device file, of which there are none here
    0,
    name.length,
    0, // check sum, which this variant of the format does not have
  ];
  const header = `070701${fields.map(field => field.toString(16).toUpperCase().padStart(8, '0')).join('')}`;
  parts.push(...padded(Buffer.concat([Buffer.from(header), name])), ...padded(data));
}

function contents(entry: CpioEntry): Buffer {
  if (entry.type === 'file')
    return Buffer.from(entry.data.buffer, entry.data.byteOffset, entry.data.byteLength);
  return Buffer.from(entry.type === 'link' ? entry.target : '');
}

function mode(entry: CpioEntry): number {
  if (entry.type === 'directory') return S_IFDIR | 0o755;
  if (entry.type === 'link') return S_IFLNK | 0o777;
  return entry.mode === 0 ? 0 : S_IFREG | entry.mode;
}

/** Header with name, and data, each end on a multiple of four bytes. */
function padded(data: Buffer): Buffer[] {
  return [data, Buffer.alloc((4 - (data.length % 4)) % 4)];
}
