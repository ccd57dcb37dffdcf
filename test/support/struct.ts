/** Builds what the kernel puts into a capability: little-endian fields one after the other. */
export function struct(...fields: readonly (number | bigint)[]): Uint8Array {
  const bytes = new Uint8Array(fields.reduce<number>((sum, field) => sum + widthOf(field), 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const field of fields) {
    if (typeof field === 'bigint') view.setBigUint64(at, field, true);
    else view.setUint32(at, field, true);
    at += widthOf(field);
  }
  return bytes;
}

/** A number is a `__u32`, a bigint a `__u64`. */
function widthOf(field: number | bigint): number {
  return typeof field === 'bigint' ? 8 : 4;
}

/** The same bytes somewhere inside a larger buffer, at an odd address. */
export function embedded(bytes: Uint8Array): Uint8Array {
  const larger = new Uint8Array(bytes.length + 14).fill(0xee);
  larger.set(bytes, 7);
  return larger.subarray(7, 7 + bytes.length);
}

/** All shorter beginnings of the bytes. */
export function truncations(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.length }, (_, length) => bytes.subarray(0, length));
}
