/**
 * Interrupts in MSI-X mode: a vector for each receive queue, and one for all that belongs to no queue.
 *
 * A vector that has sent its interrupt is masked, so a driver that is busy is not interrupted again until it asks for that.
 * The device does so by itself (EIAM); QEMU's does not, so queue.ts masks, too.
 */
import { type Device, type IrqVector } from 'vfio';
import { type QueueInterrupts } from './queue.js';
import { type IgbRegisters, IVAR_VALID } from './registers.js';

/** Shifts of the entries in an IVAR register: of queues 0 to 7, and of 8 to 15. */
const RX_SHIFT = [0, 16] as const;

export class Interrupts implements QueueInterrupts {
  /** The vectors of the receive queues. */
  readonly queues: readonly IrqVector[];
  /** The link changed. */
  readonly other: IrqVector;

  /** @throws Error when the device has too few vectors */
  constructor(
    private readonly regs: IgbRegisters,
    device: Device,
    queues: number,
  ) {
    if (device.msix.count < queues + 1) {
      throw new Error(
        `${device.address} has ${device.msix.count} MSI-X vectors: enough for ${device.msix.count - 1} queues, not ${queues}.`,
      );
    }
    const vectors = device.msix.enable(queues + 1);
    this.queues = vectors.slice(0, queues);
    this.other = vectors.at(-1) ?? vectors[0];

    regs.GPIE.set({ NON_SELECTIVE_CLEAR: 1, MULTIPLE_MSIX: 1, EXTENDED_AUTO_MASK: 1, PBA_SUPPORT: 1 });
    // Sent frames are found when there are more to send, so the transmit queues have no vectors.
    const ivar = Array.from({ length: 8 }, () => 0);
    for (let queue = 0; queue < queues; queue++) {
      const register = queue % 8;
      const shift = RX_SHIFT[queue < 8 ? 0 : 1];
      ivar[register] = (ivar[register] ?? 0) | ((queue | IVAR_VALID) << shift);
    }
    for (const [i, value] of ivar.entries()) regs.IVAR.at(i).write(value);
    regs.IVAR_MISC.set({ OTHER: queues, OTHER_VALID: 1 });

    // Sending an interrupt clears its bit in EICR, and masks its vector.
    const all = 2 ** (queues + 1) - 1;
    regs.IAM.write(0);
    regs.EIAC.write(all);
    regs.EIAM.write(all);
    for (let vector = 0; vector <= queues; vector++) regs.EITR.at(vector).write(0);
  }

  /**
   * Lets a queue interrupt, once. Whoever arms after emptying a ring looks at the ring once more afterwards: a frame
   * that came between the last look and the arming may have no interrupt of its own.
   */
  arm(queue: number): void {
    this.regs.EIMS.write(1 << queue);
  }

  mask(queue: number): void {
    this.regs.EIMC.write(1 << queue);
  }

  /** Lets the next change of the link interrupt. */
  armLink(): void {
    this.regs.ICR.clear();
    this.regs.IMS.set({ LINK_STATUS_CHANGE: 1 });
    this.arm(this.queues.length);
  }

  maskLink(): void {
    this.mask(this.queues.length);
  }
}
