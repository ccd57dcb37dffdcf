/** Ethernet addresses: as text, and as registers hold them. */

/** The six bytes of `52:54:00:00:00:01`. */
export function parseMac(text: string): Uint8Array {
  if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) {
    throw new Error(`'${text}' is not an Ethernet address: six hexadecimal bytes with colons between them.`);
  }
  return Uint8Array.from(text.split(':'), byte => parseInt(byte, 16));
}

/** `52:54:00:00:00:01` */
export function formatMacAddress(bytes: Uint8Array): string {
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join(':');
}

/** The address in two registers, first byte lowest. */
export function macFromWords(low: number, high: number): Uint8Array {
  return Uint8Array.of(low, low >> 8, low >> 16, low >> 24, high, high >> 8);
}
