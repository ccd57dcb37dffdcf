/** A receive queue and the transmit queue of the same number: their set-up, and what an application sees of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type IrqVector, type Mapping } from 'vfio';
import {
  type BufferPool,
  type Burst,
  Doorbell,
  type NicStats,
  type RxSource,
  RxRing,
  TxRing,
} from 'vfio/kit';
import { BUFFER_BYTES, MAX_FRAME, MIN_FRAME, rxFormat, txFormat } from './descriptors.js';
import { ADVANCED_ONE_BUFFER, type IgbRegisters } from './registers.js';

const ENABLE_MS = 100;

/** The registers of queues, which a virtual function has, too, though elsewhere. */
export type QueueRegisters = Pick<
  IgbRegisters,
  | ('RDBAL' | 'RDBAH' | 'RDLEN' | 'RDH' | 'RDT' | 'SRRCTL' | 'RXDCTL')
  | ('TDBAL' | 'TDBAH' | 'TDLEN' | 'TDH' | 'TDT' | 'TXDCTL')
>;

/** The interrupts of receive queues, by number. */
export interface QueueInterrupts {
  arm(queue: number): void;
  mask(queue: number): void;
}

/** The rings of a queue. */
export interface QueueRings {
  readonly rx: RxRing;
  readonly tx: TxRing;
}

export interface RingOptions {
  readonly pool: BufferPool;
  /** Where the device sees the pool's arena. */
  readonly iova: bigint;
  readonly rxDescriptors: number;
  readonly txDescriptors: number;
}

/** The doorbells of a queue: its tails. */
export function bells(
  mapping: Mapping,
  regs: Pick<QueueRegisters, 'RDT' | 'TDT'>,
  index: number,
): { readonly rx: Doorbell; readonly tx: Doorbell } {
  const bell = (array: 'RDT' | 'TDT'): Doorbell => new Doorbell(mapping, regs[array].at(index).offset);
  return { rx: bell('RDT'), tx: bell('TDT') };
}

/** Makes the rings of a queue, of which the device knows nothing yet. */
export function makeRings(
  bell: { readonly rx: Doorbell; readonly tx: Doorbell },
  { pool, iova, rxDescriptors, txDescriptors }: RingOptions,
): QueueRings {
  return {
    rx: new RxRing({ pool, iova, size: rxDescriptors, format: rxFormat, bell: bell.rx }),
    tx: new TxRing({
      ...{ pool, iova, size: txDescriptors, format: txFormat, bell: bell.tx },
      minFrame: MIN_FRAME,
      maxFrame: MAX_FRAME,
    }),
  };
}

/** One queue each way, with its own vector: all that a loop on a queue of its own needs. */
export class Queue implements RxSource {
  readonly rx: RxRing;
  readonly tx: TxRing;
  #armed = false;

  constructor(
    readonly index: number,
    private readonly address: string,
    private readonly mapping: Mapping,
    rings: QueueRings,
    readonly rxVector: IrqVector,
    private readonly interrupts: QueueInterrupts,
  ) {
    this.rx = rings.rx;
    this.tx = rings.tx;
  }

  /** Where its buffers are from: a part of the NIC's, if it is a queue for a thread of its own. */
  get pool(): BufferPool {
    return this.rx.pool;
  }

  get name(): string {
    return `queue ${this.index} of ${this.address}`;
  }

  get closed(): boolean {
    return this.mapping.closed;
  }

  rxBurst(burst: Burst, max?: number): number {
    const count = this.rx.burst(burst, max);
    // The interrupt that was asked for has come; a device that masks by itself needs no telling.
    if (this.#armed && count > 0) this.disarmRxInterrupt();
    return count;
  }

  txBurst(burst: Burst, count: number, from?: number): number {
    return this.tx.burst(burst, count, from);
  }

  get rxPending(): boolean {
    return this.rx.pending;
  }

  /** What the device missed for want of descriptors is not counted by queue. */
  stats(): NicStats {
    const { rx, tx } = this;
    return {
      rxFrames: rx.frames,
      rxBytes: rx.bytes,
      rxErrors: rx.errors,
      rxMissed: 0,
      rxNoBuffer: rx.noBuffer,
      txFrames: tx.frames,
      txBytes: tx.bytes,
      txErrors: tx.errors,
    };
  }

  armRxInterrupt(): void {
    this.#armed = true;
    this.interrupts.arm(this.index);
  }

  disarmRxInterrupt(): void {
    this.#armed = false;
    this.interrupts.mask(this.index);
  }
}

/** Hands the rings of a queue to the device. A tail counts only once its queue says that it is enabled. */
export async function startQueue(
  regs: QueueRegisters,
  index: number,
  rings: {
    readonly rx: Pick<RxRing, 'iova' | 'size' | 'firstTail'>;
    readonly tx: Pick<TxRing, 'iova' | 'size'>;
  },
  options: { readonly drop: boolean },
): Promise<void> {
  const { rx, tx } = rings;
  regs.TDBAL.at(index).write(Number(tx.iova & 0xffff_ffffn));
  regs.TDBAH.at(index).write(Number(tx.iova >> 32n));
  regs.TDLEN.at(index).write(tx.size * 16);
  regs.TDH.at(index).write(0);
  const control = { PREFETCH_THRESHOLD: 8, WRITE_BACK_THRESHOLD: 1, ENABLE: 1 } as const;
  regs.TXDCTL.at(index).set({ ...control, HOST_THRESHOLD: 1 });
  await enabled(regs.TXDCTL.at(index));
  regs.TDT.at(index).write(0);

  regs.RDBAL.at(index).write(Number(rx.iova & 0xffff_ffffn));
  regs.RDBAH.at(index).write(Number(rx.iova >> 32n));
  regs.RDLEN.at(index).write(rx.size * 16);
  regs.SRRCTL.at(index).set({
    PACKET_BUFFER_KIB: BUFFER_BYTES / 1024,
    DESCRIPTOR_TYPE: ADVANCED_ONE_BUFFER,
    DROP: options.drop ? 1 : 0,
  });
  regs.RDH.at(index).write(0);
  regs.RXDCTL.at(index).set({ ...control, HOST_THRESHOLD: 8 });
  await enabled(regs.RXDCTL.at(index));
  regs.RDT.at(index).write(rx.firstTail);
}

async function enabled(register: { get(field: 'ENABLE'): number; readonly name: string }): Promise<void> {
  const deadline = performance.now() + ENABLE_MS;
  while (register.get('ENABLE') === 0) {
    if (performance.now() > deadline)
      throw new Error(`${register.name} did not enable its queue in ${ENABLE_MS} ms.`);
    await sleep(1);
  }
}
