import { type IrqVector } from 'vfio';
import { type Burst, type RxRing, type TxRing } from 'vfio/kit';
import { MAX_FRAME, MIN_FRAME } from './descriptors.js';
import { type Queue } from './queue.js';

/** What of a NIC is the business of one queue alone: frames, and the interrupt that tells of them. */
export abstract class NicOverQueue {
  readonly minFrame = MIN_FRAME;
  readonly maxFrame = MAX_FRAME;

  protected constructor(protected readonly queue: Queue) {}

  get rings(): { rx: RxRing; tx: TxRing } {
    return this.queue;
  }

  rxBurst(burst: Burst, max?: number): number {
    return this.queue.rxBurst(burst, max);
  }

  txBurst(burst: Burst, count: number, from?: number): number {
    return this.queue.txBurst(burst, count, from);
  }

  get txPending(): number {
    return this.queue.tx.unsent;
  }

  get rxPending(): boolean {
    return this.queue.rxPending;
  }

  get rxVector(): IrqVector {
    return this.queue.rxVector;
  }

  armRxInterrupt(): void {
    this.queue.armRxInterrupt();
  }

  disarmRxInterrupt(): void {
    this.queue.disarmRxInterrupt();
  }

  abstract close(): Promise<void>;

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
