import { coded, show, string } from '../validate';

const full = /^(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}):([01][0-9a-f])\.([0-7])$/i;

/**
 * A PCI address in the kernel's spelling, `domain:bus:device.function` in hexadecimal: `'0000:03:00.0'`.
 * The domain may be left out (`'03:00.0'`), as lspci does.
 *
 * @throws TypeError when it is not a PCI address
 */
export function parseAddress(address: string): string {
  return parseAddressNamed(address, 'address');
}

/** @internal The same for what messages shall call something else. */
export function parseAddressNamed(address: string, name: string): string {
  const parts = full.exec(string(address, name));
  if (parts === null) {
    throw coded(
      new TypeError(
        `${name} must be a PCI address such as '0000:03:00.0' or '03:00.0'; got ${show(address)}`,
      ),
      'ERR_INVALID_ARG_VALUE',
    );
  }
  const [, domain = '0000', bus, device, fn] = parts;
  return `${domain}:${bus}:${device}.${fn}`.toLowerCase();
}
