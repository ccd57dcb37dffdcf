import type { Device, MigrationStream } from 'vfio';

/** Registers of a 16550 serial port, as mtty has them at the start of BAR0 (and BAR1). */
export const Uart = { DATA: 0, IER: 1, FCR: 2, LCR: 3, MCR: 4, LSR: 5, SCRATCH: 7 } as const;

/** What mtty writes in front of the state of its ports: magic number, version, number of ports, flags. */
export const HEADER_BYTES = 24;

/** All that a stream has to give. */
export async function drain(stream: MigrationStream): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Saves the state of a device, by way of a stopped one. It is stopped afterwards. */
export async function save(device: Device): Promise<Buffer> {
  const { migration } = device.features;
  const stream = await migration.setState('stop-copy');
  if (stream === undefined) throw new Error('there is no stream to save to');
  try {
    return await drain(stream);
  } finally {
    stream.close();
    await migration.setState('stop');
  }
}

/** Restores a state into a device, which runs afterwards. */
export async function restore(device: Device, state: Uint8Array): Promise<void> {
  const { migration } = device.features;
  const stream = await migration.setState('resuming');
  if (stream === undefined) throw new Error('there is no stream to restore from');
  try {
    await stream.write(state);
    await migration.setState('running');
  } finally {
    stream.close();
  }
}
