/**
 * A driver for the Intel 82574L gigabit controller, which is also what QEMU's `e1000e` device is.
 *
 * Start reading here; each step of {@link E1000e.start} leads to a file of its own. The driver is a polled one with
 * interrupts on the side: {@link E1000e.receive} and {@link E1000e.transmit} never wait, and
 * {@link E1000e.interrupts} says when it is worth looking again.
 */
import { Device, type Mapping, type OpenOptions } from 'vfio';
import { Interrupts } from './interrupts.js';
import { linkState, type LinkState, waitForLink } from './link.js';
import { readMacAddress } from './mac-address.js';
import { restartLink } from './phy.js';
import { reset, stop } from './reset.js';
import { type FrameHandler, RxRing } from './rx-ring.js';
import { Statistics } from './statistics.js';
import { TxRing } from './tx-ring.js';

const INTEL = 0x8086;
/** 82574L and 82574LA. */
const DEVICE_IDS: readonly number[] = [0x10d3, 0x10f6];

export interface E1000eOptions {
  /** Descriptors in the receive ring: a multiple of 8, by default 256. Each has a buffer of 2 KiB. */
  rxDescriptors?: number;
  /** Descriptors in the transmit ring, likewise. */
  txDescriptors?: number;
  /** Receive frames for any address, not only ours and broadcasts. */
  promiscuous?: boolean;
}

export class E1000e implements AsyncDisposable {
  private constructor(
    readonly device: Device,
    /** BAR0 (10.1): all registers. */
    readonly registers: Mapping,
    /** The six bytes of our Ethernet address. */
    readonly mac: Uint8Array,
    readonly rx: RxRing,
    readonly tx: TxRing,
    readonly interrupts: Interrupts,
    readonly statistics: Statistics,
  ) {}

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
    const device = await Device.open(address, { bind, noIommu });
    try {
      return await E1000e.start(device, rest);
    } catch (error) {
      await device.close();
      throw error;
    }
  }

  /** Starts an opened device, in the order of 4.6.3. */
  static async start(device: Device, options: E1000eOptions = {}): Promise<E1000e> {
    const { vendorId, deviceId } = device.config;
    if (!E1000e.supports(vendorId, deviceId)) {
      const id = `${vendorId.toString(16).padStart(4, '0')}:${deviceId.toString(16).padStart(4, '0')}`;
      throw new Error(`${device.address} is ${id}, not an Intel 82574L (8086:10d3).`);
    }
    const registers = device.bar(0).map();
    await reset(registers);
    const mac = readMacAddress(registers);
    const statistics = new Statistics(registers);

    // Descriptors, frames and MSI-X messages all are memory accesses by the device, which need bus mastering.
    device.enableBusMaster();
    const interrupts = new Interrupts(registers, device);
    const tx = new TxRing(registers, device.dma, options.txDescriptors ?? 256);
    const rx = new RxRing(registers, device.dma, options.rxDescriptors ?? 256);
    tx.start();
    rx.start(options);
    await restartLink(registers);
    return new E1000e(device, registers, mac, rx, tx, interrupts, statistics);
  }

  /** Hands up to `max` received frames to `handle`; see {@link RxRing.receive}. */
  receive(max: number, handle: FrameHandler): number {
    return this.rx.receive(max, handle);
  }

  /** Copies a frame, without CRC, into the transmit ring and sends it; false when the ring is full. */
  transmit(frame: Uint8Array): boolean {
    return this.tx.transmit(frame);
  }

  get link(): LinkState {
    return linkState(this.registers);
  }

  /** Sleeps until the link is up, by default for at most ten seconds. */
  waitForLink(options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<LinkState> {
    return waitForLink(this.registers, this.interrupts, { timeoutMs: 10_000, ...options });
  }

  /** Stops all interrupts and DMA, then closes the device, which frees the rings and gives a bound device back. */
  async close(): Promise<void> {
    if (this.device.closed) return;
    try {
      await stop(this.registers);
    } finally {
      await this.device.close();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
