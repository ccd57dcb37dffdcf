import { type Device } from 'vfio';

/** `8086:10d3` */
export function formatDeviceId(vendorId: number, deviceId: number): string {
  return [vendorId, deviceId].map(number => number.toString(16).padStart(4, '0')).join(':');
}

/** Refuses a device that a driver is not for. @param what the driver is for, with an id: `an Intel 82574L (8086:10d3)` */
export function requireDevice(
  { address, config }: Device,
  supports: (vendorId: number, deviceId: number) => boolean,
  what: string,
): void {
  const { vendorId, deviceId } = config;
  if (!supports(vendorId, deviceId))
    throw new Error(`${address} is ${formatDeviceId(vendorId, deviceId)}, not ${what}.`);
}
