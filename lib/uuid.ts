import { string, valueError } from './validate';

const spelling = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isUuid(text: string): boolean {
  return spelling.test(text);
}

/** The 16 bytes of a UUID in its usual spelling, as `uuid_t` of the kernel has them: in the order they are written. */
export function parseUuid(text: string, name: string): Uint8Array {
  if (!isUuid(string(text, name))) {
    throw valueError(name, "a UUID such as '2ab74924-c335-45f4-9b16-8569e5b08258'", text);
  }
  return Uint8Array.from(Buffer.from(text.replaceAll('-', ''), 'hex'));
}
