/**
 * A driver for the Intel 82574L gigabit controller, which is also what QEMU's `e1000e` device is.
 *
 * Start reading here; each step of {@link E1000e.start} leads to a file of its own. It implements the kit's {@link Nic}:
 * {@link E1000e.rxBurst} and {@link E1000e.txBurst} never wait, and an interrupt says when it is worth looking again.
 */
import { type Device, type IrqVector, type OpenOptions } from 'vfio';
import {
  Burst,
  BufferPool,
  type LinkState,
  type Nic,
  type NicStats,
  type RxRing,
  type TxRing,
} from 'vfio/kit';
import { linkState } from '../intel/link-state.js';
import { requireDevice } from '../nic/device-id.js';
import { openStarted } from '../nic/open-started.js';
import { Checksums } from './checksums.js';
import { MAX_FRAME, MIN_FRAME } from './descriptors.js';
import { Interrupts } from './interrupts.js';
import { waitForLink } from './link.js';
import { readMacAddress } from './mac-address.js';
import { makePool } from './memory.js';
import { restartLink } from './phy.js';
import { Cause, type E1000eRegisters, registerMap } from './registers.js';
import { reset, stop } from './reset.js';
import { makeRxRing, startReceiver } from './rx-queue.js';
import { Statistics } from './statistics.js';
import { makeTxRing, startTransmitter } from './tx-queue.js';

const INTEL = 0x8086;
/** 82574L and 82574LA. */
const DEVICE_IDS: readonly number[] = [0x10d3, 0x10f6];

export interface E1000eOptions {
  /** Descriptors in the receive ring: a power of two from 8 on, by default 256. */
  rxDescriptors?: number;
  /** Descriptors in the transmit ring, likewise. */
  txDescriptors?: number;
  /** Receive frames for any address, not only ours and broadcasts. */
  promiscuous?: boolean;
  /** Verify the checksums of received frames, and write those of sent ones where asked to: {@link E1000e.checksums}. */
  checksums?: boolean;
  /** Where buffers come from: give several NICs the same one to send with one what another received. Default its own. */
  pool?: BufferPool;
}

/** What is received: `buffer[0]` to `buffer[length - 1]`, which belong to the pool again when the call returns. */
export type FrameHandler = (buffer: Uint8Array, length: number) => void;

export class E1000e implements Nic {
  readonly minFrame = MIN_FRAME;
  readonly maxFrame = MAX_FRAME;
  readonly #ownPool: boolean;
  /** For {@link receive} and {@link transmit}. */
  readonly #burst: Burst;

  private constructor(
    readonly device: Device,
    /** BAR0 (10.1): all registers. */
    readonly registers: E1000eRegisters,
    /** The six bytes of our Ethernet address. */
    readonly mac: Uint8Array,
    readonly rx: RxRing,
    readonly tx: TxRing,
    readonly interrupts: Interrupts,
    readonly statistics: Statistics,
    /** What it does about checksums, when it was opened for that. */
    readonly checksums: Checksums | undefined,
    ownPool: boolean,
  ) {
    this.#ownPool = ownPool;
    this.#burst = new Burst(rx.pool.arena, 64);
  }

  static supports(vendorId: number, deviceId: number): boolean {
    return vendorId === INTEL && DEVICE_IDS.includes(deviceId);
  }

  /**
   * Opens the device at a PCI address and starts it. With `bind` it is taken from its kernel driver until closed; with
   * `noIommu` it is one that no IOMMU guards.
   */
  static async open(
    address: string,
    options: E1000eOptions & Pick<OpenOptions, 'bind' | 'noIommu'> = {},
  ): Promise<E1000e> {
    const { bind = false, noIommu = false, ...rest } = options;
    return openStarted(address, { bind, noIommu }, device => E1000e.start(device, rest));
  }

  /** Starts an opened device, in the order of 4.6.3. */
  static async start(device: Device, options: E1000eOptions = {}): Promise<E1000e> {
    requireDevice(
      device,
      (vendorId, deviceId) => E1000e.supports(vendorId, deviceId),
      'an Intel 82574L (8086:10d3)',
    );
    const { rxDescriptors = 256, txDescriptors = 256, checksums = false } = options;
    const mapping = device.bar(0).map();
    const regs = registerMap.over(mapping);
    await reset(regs);
    const mac = readMacAddress(regs);
    const statistics = new Statistics(regs);

    // Descriptors, frames and MSI-X messages all are memory accesses by the device, which need bus mastering.
    device.enableBusMaster();
    const interrupts = new Interrupts(regs, device);
    const pool = options.pool ?? makePool(device.dma, rxDescriptors, txDescriptors);
    const iova = pool.arena.mapFor(device.dma);
    const tx = makeTxRing(mapping, regs, pool, iova, txDescriptors);
    const rx = makeRxRing(mapping, regs, pool, iova, rxDescriptors, checksums);
    startTransmitter(regs, tx);
    startReceiver(regs, rx, options);
    await restartLink(regs);
    const ownPool = options.pool === undefined;
    const offload = checksums ? new Checksums(rx, tx) : undefined;
    return new E1000e(device, regs, mac, rx, tx, interrupts, statistics, offload, ownPool);
  }

  get name(): string {
    return this.device.address;
  }

  get closed(): boolean {
    return this.device.closed;
  }

  get pool(): BufferPool {
    return this.rx.pool;
  }

  get rings(): { rx: RxRing; tx: TxRing } {
    return { rx: this.rx, tx: this.tx };
  }

  rxBurst(burst: Burst, max?: number): number {
    return this.rx.burst(burst, max);
  }

  txBurst(burst: Burst, count: number, from?: number): number {
    return this.tx.burst(burst, count, from);
  }

  get txPending(): number {
    return this.tx.unsent;
  }

  get rxPending(): boolean {
    return this.rx.pending;
  }

  get rxVector(): IrqVector {
    return this.interrupts.rx;
  }

  armRxInterrupt(): void {
    this.interrupts.arm(Cause.RXQ0);
  }

  disarmRxInterrupt(): void {
    this.interrupts.mask(Cause.RXQ0);
  }

  /**
   * {@link rxBurst} for programs that are in no hurry: hands up to `max` frames to `handle` one by one and returns how many.
   * Their buffers go back to the pool, also when `handle` throws.
   */
  receive(max: number, handle: FrameHandler): number {
    const burst = this.#burst;
    const count = this.rx.burst(burst, Math.min(max, burst.capacity, this.rx.size));
    let given = 0;
    try {
      for (let i = 0; i < count; i++) handle(this.pool.bytes(burst.handle(i)), burst.length(i));
    } finally {
      for (; given < count; given++) this.pool.give(burst.handle(given));
    }
    return count;
  }

  /** {@link txBurst} likewise: copies a frame, without CRC, and sends it; false while there is no room. */
  transmit(frame: Uint8Array): boolean {
    const { pool } = this;
    if (frame.length < MIN_FRAME || frame.length > MAX_FRAME) {
      throw new RangeError(
        `A frame has ${MIN_FRAME} to ${MAX_FRAME} bytes without its CRC, not ${frame.length}.`,
      );
    }
    const handle = pool.take();
    if (handle === 0) {
      this.tx.burst(this.#burst, 0);
      return false;
    }
    pool.arena.u8.set(frame, handle);
    this.#burst.set(0, handle, frame.length);
    if (this.tx.burst(this.#burst, 1) === 1) return true;
    pool.give(handle);
    return false;
  }

  get link(): LinkState {
    return linkState(this.registers);
  }

  /** Sleeps until the link is up, by default for at most ten seconds. */
  waitForLink(options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<LinkState> {
    return waitForLink(this.registers, this.interrupts, { timeoutMs: 10_000, ...options });
  }

  stats(): NicStats {
    const { rx, tx } = this;
    return {
      rxFrames: rx.frames,
      rxBytes: rx.bytes,
      rxErrors: rx.errors,
      rxMissed: this.closed ? this.statistics.totals.missed : this.statistics.read().missed,
      rxNoBuffer: rx.noBuffer,
      txFrames: tx.frames,
      txBytes: tx.bytes,
      txErrors: tx.errors,
    };
  }

  /** Stops all interrupts and DMA, then closes the device, which gives a bound device back. Buffers go to the pool. */
  async close(): Promise<void> {
    if (this.device.closed) return;
    try {
      await stop(this.registers);
    } finally {
      this.rx.close();
      this.tx.close();
      // A container shared with other devices stays, and the mapping in it would.
      if (this.#ownPool) this.pool.arena.unmapFor(this.device.dma);
      await this.device.close();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
