// Stamps say what a build was made from, so that the next run can tell in no time that there is nothing to do.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** All files below a directory whose names match, in a fixed order; none when there is no such directory. */
export function filesBelow(directory, pattern) {
  let entries;
  try {
    entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  } catch {
    return [];
  }
  return entries
    .filter(entry => entry.isFile() && pattern.test(entry.name))
    .map(entry => path.join(entry.parentPath, entry.name))
    .sort();
}

/** Names, sizes and times of files in one hash: reading contents would cost more than it is worth. */
export function fingerprint(files) {
  const hash = createHash('sha256');
  let newest = 0;
  for (const file of files) {
    const { size, mtimeMs } = statSync(file);
    hash.update(`${file}\0${size}\0${mtimeMs}\0`);
    newest = Math.max(newest, mtimeMs);
  }
  return { text: hash.digest('hex'), newest };
}

/** The hash of one file's contents. */
export function hashOf(file) {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

export function readStamp(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

export function writeStamp(file, text) {
  writeFileSync(file, text);
}
