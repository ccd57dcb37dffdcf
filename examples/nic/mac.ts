/** Ethernet addresses as text. */

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
