/**
 * Has the shell bind a device to vfio-pci where it is not yet: without the library, which would give it back at the end of
 * the process that bound it.
 */
export function bindScript(address: string): string {
  const device = `/sys/bus/pci/devices/${address}`;
  return [
    'set -e',
    `if [ "$(basename "$(readlink ${device}/driver)")" != vfio-pci ]; then`,
    `  echo vfio-pci >${device}/driver_override`,
    `  echo ${address} >${device}/driver/unbind`,
    `  echo ${address} >/sys/bus/pci/drivers_probe`,
    'fi',
  ].join('\n');
}
