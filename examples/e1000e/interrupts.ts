/**
 * Interrupts in MSI-X mode (7.4.2): one vector for the receive queue, one for the transmit queue, one for the rest.
 *
 * Each cause masks itself when its interrupt is sent, so a driver that is busy is not interrupted again until it asks
 * for that with {@link Interrupts.arm}. A cause that arises in between is remembered and sent upon arming.
 */
import { type Device, type IrqVector } from 'vfio';
import { Cause, type E1000eRegisters } from './registers.js';

const RX_VECTOR = 0;
const TX_VECTOR = 1;
const OTHER_VECTOR = 2;
const VECTORS = 3;

const AUTOMATIC = Cause.RXQ0 | Cause.TXQ0 | Cause.OTHER;

export class Interrupts {
  /** Frames have arrived. */
  readonly rx: IrqVector;
  /** Frames were sent. */
  readonly tx: IrqVector;
  /** The link changed, or the receiver ran out of descriptors. */
  readonly other: IrqVector;

  constructor(
    private readonly regs: E1000eRegisters,
    device: Device,
  ) {
    if (device.msix.count < VECTORS) {
      throw new Error(
        `${device.address} has ${device.msix.count} MSI-X vectors, this driver needs ${VECTORS}.`,
      );
    }
    const [rx, tx, other] = device.msix.enable(VECTORS);
    if (tx === undefined || other === undefined) throw new Error('Fewer vectors than asked for.');
    this.rx = rx;
    this.tx = tx;
    this.other = other;

    // 10.2.4.9: which vector announces which cause.
    regs.IVAR.set({
      ...{ RXQ0: RX_VECTOR, TXQ0: TX_VECTOR, OTHER: OTHER_VECTOR },
      ...{ RXQ0_VALID: 1, TXQ0_VALID: 1, OTHER_VALID: 1 },
    });
    // 10.2.4.7 and 10.2.4.8: sending an interrupt clears its cause and masks it.
    regs.EIAC.write(AUTOMATIC);
    regs.IAM.write(AUTOMATIC);
    regs.CTRL_EXT.update({ IAME: 0, EIAME: 1, PBA_SUPPORT: 1 });
    // 10.2.4.3: no least interval between two interrupts. QEMU keeps 128 microseconds between them all the same.
    for (let vector = 0; vector < VECTORS; vector++) regs.EITR.at(vector).write(0);
  }

  /**
   * Lets these causes interrupt, once each. Whoever arms after emptying a ring looks at the ring once more
   * afterwards: a frame that came between the last look and the arming may have no interrupt of its own.
   */
  arm(causes: number): void {
    this.regs.IMS.write(causes);
  }

  /** Keeps these causes from interrupting. */
  mask(causes: number): void {
    this.regs.IMC.write(causes);
  }

  /** Forgets causes that stay set until they are written: those behind {@link Cause.OTHER}. */
  acknowledge(causes: number): void {
    this.regs.ICR.clear(causes);
  }
}
