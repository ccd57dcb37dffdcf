/** Bringing a device up, as 3.1.1 has it: reset, features, queues, ready. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type CommonRegisters, Feature, NO_VECTOR } from './registers.js';
import { type Notifier, type Transport } from './transport.js';
import { type QueueAreas } from './virtqueue.js';

const RESET_MS = 1000;

/** Ends all that the device does, DMA and interrupts included, and waits until it has (4.1.4.3.2). */
export async function reset({ DEVICE_STATUS }: CommonRegisters): Promise<void> {
  DEVICE_STATUS.write(0);
  const deadline = performance.now() + RESET_MS;
  while (DEVICE_STATUS.read() !== 0) {
    if (performance.now() > deadline)
      throw new Error(`The virtio device did not reset within ${RESET_MS} ms.`);
    await sleep(1);
  }
}

/** Whether a feature was agreed on. */
export type Features = ReadonlySet<number>;

/**
 * Agrees on features: those of `wanted` that the device offers. Without an IOMMU's feature offered the device would take our
 * addresses for physical ones and reach memory that is not ours, so that one is a condition, as is being of version 1.
 *
 * @throws Error when the device lacks those, or does not accept
 */
export function negotiate(common: CommonRegisters, wanted: readonly number[]): Features {
  const { DEVICE_STATUS: status } = common;
  status.update({ ACKNOWLEDGE: 1 });
  status.update({ DRIVER: 1 });
  const offered = [0, 1].map(half => {
    common.DEVICE_FEATURE_SELECT.write(half);
    return common.DEVICE_FEATURE.read();
  });
  const isOffered = (feature: number): boolean =>
    (((offered[feature >> 5] ?? 0) >>> (feature & 31)) & 1) === 1;
  for (const [name, feature] of [
    ['VIRTIO_F_VERSION_1', Feature.VERSION_1],
    ['VIRTIO_F_ACCESS_PLATFORM', Feature.ACCESS_PLATFORM],
  ] as const) {
    if (!isOffered(feature)) {
      status.update({ FAILED: 1 });
      throw new Error(`The virtio device does not offer ${name} (feature ${feature}).`);
    }
  }
  const agreed = new Set([Feature.VERSION_1, Feature.ACCESS_PLATFORM, ...wanted].filter(isOffered));
  for (const half of [0, 1]) {
    let word = 0;
    for (const feature of agreed) if (feature >> 5 === half) word |= 1 << (feature & 31);
    common.DRIVER_FEATURE_SELECT.write(half);
    common.DRIVER_FEATURE.write(word);
  }
  status.update({ FEATURES_OK: 1 });
  if (status.get('FEATURES_OK') === 0) {
    status.update({ FAILED: 1 });
    throw new Error(`The virtio device does not accept the features ${[...agreed].join(', ')}.`);
  }
  return agreed;
}

/** How many descriptors a queue can have; 0 when the device does not have that queue. */
export function mostDescriptors(common: CommonRegisters, queue: number): number {
  common.QUEUE_SELECT.write(queue);
  return common.QUEUE_SIZE.read();
}

/** Tells the device where a queue is and which vector announces what it used (4.1.5.1.3), and enables it. */
export function enableQueue(
  transport: Transport,
  queue: number,
  { size, areas }: { readonly size: number; readonly areas: QueueAreas },
  vector: number,
): Notifier {
  const { common } = transport;
  common.QUEUE_SELECT.write(queue);
  common.QUEUE_SIZE.write(size);
  common.QUEUE_MSIX_VECTOR.write(vector);
  if (common.QUEUE_MSIX_VECTOR.read() === NO_VECTOR)
    throw new Error(`The virtio device has no room for the vector of queue ${queue}.`);
  for (const [register, address] of [
    [common.QUEUE_DESC, areas.descriptors],
    [common.QUEUE_DRIVER, areas.driver],
    [common.QUEUE_DEVICE, areas.device],
  ] as const) {
    register.at(0).write(Number(address & 0xffff_ffffn));
    register.at(1).write(Number(address >> 32n));
  }
  const notifier = transport.doorbell(common.QUEUE_NOTIFY_OFF.read());
  common.QUEUE_ENABLE.write(1);
  return notifier;
}
