/** Numbers in network byte order (big-endian) within a frame. Callers have checked that the bytes are there. */

export function get8(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0;
}

export function get16(bytes: Uint8Array, at: number): number {
  return (get8(bytes, at) << 8) | get8(bytes, at + 1);
}

export function put16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >> 8;
  bytes[at + 1] = value;
}

/** Copies `count` bytes without making a view, which would be an allocation for each packet. */
export function copy(to: Uint8Array, toAt: number, from: Uint8Array, fromAt: number, count: number): void {
  for (let i = 0; i < count; i++) to[toAt + i] = get8(from, fromAt + i);
}

export function equal(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, count: number): boolean {
  for (let i = 0; i < count; i++) {
    if (get8(a, aAt + i) !== get8(b, bAt + i)) return false;
  }
  return true;
}
