import { readdirSync, readlinkSync } from 'node:fs';

/** The open files of this process, by what they are. @param kind only those whose names match */
export function openFiles(kind = /^/): Record<string, number> {
  const files: Record<string, number> = {};
  for (const fd of readdirSync('/proc/self/fd')) {
    const name = targetOf(`/proc/self/fd/${fd}`);
    // One for the whole process, from the first mapping on.
    if (name.includes('vfio-dead-pages') || !kind.test(name)) continue;
    files[name] = (files[name] ?? 0) + 1;
  }
  return files;
}

/** Without what only tells one of a kind from another. The descriptor that read the directory is closed by now. */
function targetOf(link: string): string {
  try {
    const target = readlinkSync(link);
    return target.startsWith('/dev/') ? target : target.replace(/\d{3,}/g, 'N');
  } catch {
    return 'that read the directory';
  }
}
