import { Device, type OpenOptions } from 'vfio';

/** Opens a device and has a driver start it; when that fails the device is closed again, and so given back. */
export async function openStarted<T>(
  address: string,
  options: OpenOptions,
  start: (device: Device) => Promise<T>,
): Promise<T> {
  const device = await Device.open(address, options);
  try {
    return await start(device);
  } catch (error) {
    await device.close();
    throw error;
  }
}
