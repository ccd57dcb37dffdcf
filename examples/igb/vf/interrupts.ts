/** The MSI-X vectors of a virtual function: one for what it receives, one for its mailbox. */
import { type Device, type IrqVector } from 'vfio';
import { type QueueInterrupts } from '../queue.js';
import { type VfRegisters } from './registers.js';

const RX_VECTOR = 0;
const MAILBOX_VECTOR = 1;
const VECTORS = 2;

export class VfInterrupts implements QueueInterrupts {
  /** A frame was received. */
  readonly rx: IrqVector;
  /** The physical function's driver wrote a message: among other things when the link changes. */
  readonly mailbox: IrqVector;

  constructor(
    private readonly regs: VfRegisters,
    device: Device,
  ) {
    if (device.msix.count < VECTORS)
      throw new Error(
        `${device.address} has ${device.msix.count} MSI-X vectors, this driver needs ${VECTORS}.`,
      );
    const [rx, mailbox] = device.msix.enable(VECTORS);
    if (mailbox === undefined) throw new Error('Fewer vectors than asked for.');
    this.rx = rx;
    this.mailbox = mailbox;
    regs.IVAR.set({ RX0: RX_VECTOR, RX0_VALID: 1 });
    regs.IVAR_MISC.set({ MAILBOX: MAILBOX_VECTOR, MAILBOX_VALID: 1 });
    const all = 2 ** VECTORS - 1;
    // Sending an interrupt clears its bit in EICR, and masks its vector.
    regs.EIAC.write(all);
    regs.EIAM.write(all);
    for (let vector = 0; vector < VECTORS; vector++) regs.EITR.at(vector).write(0);
  }

  arm(queue: number): void {
    this.regs.EIMS.write(1 << queue);
  }

  mask(queue: number): void {
    this.regs.EIMC.write(1 << queue);
  }

  /** Lets the next message of the physical function interrupt. */
  armMailbox(): void {
    this.arm(MAILBOX_VECTOR);
  }
}
