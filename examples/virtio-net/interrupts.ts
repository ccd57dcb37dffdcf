/** One MSI-X vector for what was received, one for what was sent, one for changes of the configuration (4.1.5.1.2). */
import { type Device, type IrqVector } from 'vfio';
import { type CommonRegisters, NO_VECTOR } from './registers.js';

/** Numbers of the vectors. */
export const Vector = { RX: 0, TX: 1, CONFIG: 2 } as const;
const VECTORS = 3;

export interface Interrupts {
  readonly rx: IrqVector;
  readonly tx: IrqVector;
  /** The link may have changed. */
  readonly config: IrqVector;
}

/** Enables the vectors and gives the configuration its own; the queues get theirs when they are enabled. */
export function enableInterrupts(device: Device, { CONFIG_MSIX_VECTOR }: CommonRegisters): Interrupts {
  if (device.msix.count < VECTORS) {
    throw new Error(
      `${device.address} has ${device.msix.count} MSI-X vectors, this driver needs ${VECTORS}.`,
    );
  }
  const [rx, tx, config] = device.msix.enable(VECTORS);
  if (tx === undefined || config === undefined) throw new Error('Fewer vectors than asked for.');
  CONFIG_MSIX_VECTOR.write(Vector.CONFIG);
  if (CONFIG_MSIX_VECTOR.read() === NO_VECTOR)
    throw new Error(`${device.address} has no room for the vector of its configuration.`);
  return { rx, tx, config };
}
