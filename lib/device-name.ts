import { isUuid } from './uuid';
import { parseAddressNamed } from './pci/address';
import { string } from './validate';

/**
 * What a device is opened by: a PCI address (`'0000:03:00.0'`, `'03:00.0'`), or the UUID of a mediated device, which a
 * kernel driver made (`/sys/bus/mdev/devices`). In the kernel's spelling.
 */
export function parseDeviceName(text: string, name = 'address'): string {
  return isUuid(string(text, name)) ? text.toLowerCase() : parseAddressNamed(text, name);
}
