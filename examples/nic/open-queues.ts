/** NICs with several queues, for programs that give each queue a thread. */
import { findDevice } from 'vfio';
import { type Nic } from 'vfio/kit';
import { Igb } from '../igb/igb.js';
import { QueueNic, type SharedQueue } from '../igb/shared-queue.js';
import { formatDeviceId } from './device-id.js';

export { type SharedQueue };

/** A NIC of which each queue can be in another thread. It is the {@link Nic} of its first queue only in the thread that opened it. */
export type QueuedNic = Pick<Nic, 'name' | 'mac' | 'waitForLink' | 'stats' | typeof Symbol.asyncDispose> & {
  /** What {@link adoptQueue} takes in another thread. */
  shareQueue(index: number): SharedQueue;
};

/** Takes the NIC at a PCI address from its kernel driver, until it is closed. */
export async function openQueues(
  address: string,
  options: { queues: number; promiscuous?: boolean },
): Promise<QueuedNic> {
  const { vendorId, deviceId } = findDevice(address);
  if (Igb.supports(vendorId, deviceId)) {
    return Igb.open(address, { ...options, separate: true, bind: true });
  }
  const id = formatDeviceId(vendorId, deviceId);
  throw new Error(
    `${address} is ${id}; threads for its queues are there only for the Intel 82576 (8086:10c9).`,
  );
}

/** A queue as a NIC, in the thread that it is for. */
export function adoptQueue(shared: SharedQueue): Nic {
  return QueueNic.adopt(shared);
}
