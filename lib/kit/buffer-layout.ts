/** Of a processor's cache. */
const LINE = 64;
export const PAGE = 4096;

/** How buffers lie in an arena: from one room for a buffer to the next, and at how many lines of its room one may begin. */
export interface Layout {
  readonly stride: number;
  readonly beginnings: number;
}

/**
 * Buffers do not begin at multiples of a power of two: what programs read of frames, their beginnings, would then fall into
 * the same few lines of a processor's cache, each frame pushing another one out.
 *
 * In contiguous memory, which is dear, they lie a line apart. Elsewhere each has twice the room and begins at another line of it
 * than the one before, so that no frame lies across two pages. Devices do not mind that; QEMU's NICs drop such a frame when
 * they are to send it and the pages are no neighbours.
 */
export function layout(bufferBytes: number, contiguous: boolean): Layout {
  if (contiguous) return { stride: bufferBytes + LINE, beginnings: 1 };
  const beginnings = Math.min(bufferBytes, PAGE / 2) / LINE;
  return { stride: bufferBytes + Math.min(bufferBytes, PAGE), beginnings };
}

/** Where buffer `index` begins, of those that lie from `start` on. */
export function handleOf(
  { start, stride, beginnings }: Layout & { readonly start: number },
  index: number,
): number {
  const at = index * stride;
  return start + at + LINE * (Math.floor(at / Math.max(PAGE, stride)) % beginnings);
}
