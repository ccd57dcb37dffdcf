import { readdirSync, readlinkSync } from 'node:fs';

/** The open files of this process, by what they are. */
export function openFiles(): Record<string, number> {
  const files: Record<string, number> = {};
  for (const fd of readdirSync('/proc/self/fd')) {
    const name = `file ${targetOf(`/proc/self/fd/${fd}`)}`;
    // One for the whole process, from the first mapping on.
    if (name.includes('vfio-dead-pages')) continue;
    files[name] = (files[name] ?? 0) + 1;
  }
  return files;
}

/** The descriptor that read the directory is closed by the time it is looked at. */
function targetOf(link: string): string {
  try {
    return readlinkSync(link).replace(/\d{3,}/g, 'N');
  } catch {
    return 'that read the directory';
  }
}
