/** The driver for a NIC, whichever it is. */
import { findDevice } from 'vfio';
import { type BufferPool, type Nic } from 'vfio/kit';
import { E1000e } from '../e1000e/e1000e.js';
import { formatDeviceId } from './device-id.js';
import { Igb } from '../igb/igb.js';
import { IgbVf } from '../igb/vf/igb-vf.js';
import { VirtioNet } from '../virtio-net/virtio-net.js';

export interface OpenNicOptions {
  /** Receive frames for any address. */
  promiscuous?: boolean;
  /** Buffers to share with other NICs. Default its own. */
  pool?: BufferPool;
  /** Have the NIC verify and write checksums, where its driver can: then it has {@link Nic.checksums}. */
  checksums?: boolean;
  /** Take one that no IOMMU guards, which can reach all memory: the 82574L alone. */
  noIommu?: boolean;
}

/** Takes the NIC at a PCI address from its kernel driver, until it is closed. */
export async function openNic(address: string, options: OpenNicOptions = {}): Promise<Nic> {
  const { vendorId, deviceId } = findDevice(address);
  if (E1000e.supports(vendorId, deviceId)) return E1000e.open(address, { ...options, bind: true });
  if (options.noIommu === true)
    throw new Error(`${address}: only the driver for Intel 82574L (8086:10d3) does without an IOMMU.`);
  if (Igb.supports(vendorId, deviceId)) return Igb.open(address, { ...options, bind: true });
  if (IgbVf.supports(vendorId, deviceId)) {
    const { pool } = options;
    return IgbVf.open(address, { ...(pool && { pool }), bind: true });
  }
  if (VirtioNet.supports(vendorId, deviceId)) return VirtioNet.open(address, { ...options, bind: true });
  const id = formatDeviceId(vendorId, deviceId);
  throw new Error(
    `${address} is ${id}; there are drivers for: Intel 82574L (8086:10d3), Intel 82576 (8086:10c9), virtio-net (1af4:1041).`,
  );
}
