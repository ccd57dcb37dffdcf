import { rangeError } from './validate';

/** What the kernel takes at most, in pages (`DIRTY_BITMAP_PAGES_MAX`). */
const mostPages = 2 ** 31 - 1;

/** Room for one bit for each page of a range. @throws RangeError for more pages than the kernel tells about at once */
export function pageBitmap(length: number, pageSize: number): BigUint64Array {
  const pages = Math.ceil(length / pageSize);
  if (pages > mostPages)
    throw rangeError('length', `at most ${mostPages} pages of ${pageSize} bytes`, length);
  return new BigUint64Array(Math.ceil(pages / 64));
}
