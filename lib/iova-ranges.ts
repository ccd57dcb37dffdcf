import type { IovaRange } from './iommu-info';
import { address64, hex, propertyOf, rangeError, typeError } from './validate';

/** Address ranges that the user gave, each checked by its name. */
export function iovaRanges(ranges: unknown, fewest: number): IovaRange[] {
  const list = listOf(ranges);
  if (list === undefined || list.length < fewest)
    throw typeError('ranges', 'an array of { start, last }', ranges);
  return list.map((range, i) => {
    const start = address64(propertyOf(range, 'start'), `ranges[${i}].start`);
    const last = address64(propertyOf(range, 'last'), `ranges[${i}].last`);
    if (last < start)
      throw rangeError(`ranges[${i}].last`, `at least ${hex(start)}, where the range starts`, last);
    return { start, last };
  });
}

/** An array's elements; of a proxy only if that has any to show. */
function listOf(value: unknown): readonly unknown[] | undefined {
  try {
    return Array.isArray(value) ? Array.from(value as unknown[]) : undefined;
  } catch {
    return undefined;
  }
}
