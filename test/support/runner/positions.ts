import { readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import path from 'node:path';
import { packageRoot } from '../../../lab/paths.js';

/**
 * Replaces positions in compiled files, as stacks have them, by those in their sources. Node could do it by itself, but
 * reads the map of each file as it loads it, which takes an emulated processor seconds.
 */
export function originalPositions(text: string): string {
  return text.replace(/(?:\/[^\s():]*\/)?(dist\/[^\s():]+\.js):(\d+):(\d+)/g, (whole, file, line, column) => {
    const map = sourceMap(path.join(packageRoot, file as string));
    const entry = map?.findEntry(Number(line) - 1, Number(column) - 1);
    if (entry === undefined || !('originalSource' in entry)) return whole;
    const source = path.join(path.dirname(file as string), entry.originalSource);
    return `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  });
}

function sourceMap(file: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(`${file}.map`, 'utf8')) as SourceMapPayload);
  } catch {
    return undefined;
  }
}
