import { readFile, writeFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { installMissing } from './apt.js';
import { mustRun } from './command.js';
import type { Progress } from './progress.js';

/** How a kernel's payload can be packed: by its first bytes. */
const packings = [
  { magic: [0xfd, 0x37, 0x7a, 0x58], program: 'xz', package: 'xz-utils' },
  { magic: [0x28, 0xb5, 0x2f, 0xfd], program: 'zstd', package: 'zstd' },
  { magic: [0x1f, 0x8b], program: undefined, package: undefined },
] as const;

/**
 * Takes the kernel proper out of a bzImage, which QEMU starts directly (PVH): unpacking it once here instead of at
 * each boot under emulation makes the boot half as long. Offsets are those of Documentation/arch/x86/boot.rst.
 * Writes the bzImage itself when it is packed in a way unknown here, since that boots too.
 */
export async function writeBootImage(bzImage: string, target: string, progress: Progress): Promise<void> {
  const data = await readFile(bzImage);
  const payload = payloadOf(data);
  const packing = packings.find(({ magic }) => magic.every((byte, index) => payload[index] === byte));
  if (!packing) {
    await writeFile(target, data);
  } else if (packing.program === undefined) {
    await writeFile(target, gunzipSync(payload));
  } else {
    await installMissing({ [packing.program]: packing.package }, progress);
    await writeFile(`${target}.packed`, payload);
    await mustRun(['sh', '-c', `${packing.program} -dc <"$1.packed" >"$1" && rm "$1.packed"`, 'sh', target]);
  }
}

function payloadOf(bzImage: Buffer): Buffer {
  const setupSectors = bzImage.readUInt8(0x1f1) || 4;
  const start = (setupSectors + 1) * 512 + bzImage.readUInt32LE(0x248);
  // The last four bytes are the size of the unpacked kernel and no part of the packed stream.
  return bzImage.subarray(start, start + bzImage.readUInt32LE(0x24c) - 4);
}
