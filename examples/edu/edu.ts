/**
 * The smallest complete driver: registers, an interrupt, and DMA in both directions.
 *
 * The device is QEMU's `edu`, made for learning: it inverts a number, computes factorials, and copies between our
 * memory and 4 KiB of its own. Every step here is one that a driver for real hardware takes too.
 */
import { Device, type DmaBuffer, type IrqVector, type Mapping } from 'vfio';
import {
  ADDRESS_BITS,
  Cause,
  DEVICE_BUFFER,
  DEVICE_BUFFER_BYTES,
  DmaCommand,
  Edu,
  Status,
} from './registers.js';

/** No answer of this device takes longer: a DMA transfer is a 100 ms timer inside QEMU. */
const PATIENCE_MS = 5000;

export class EduDriver implements AsyncDisposable {
  private constructor(
    private readonly device: Device,
    private readonly registers: Mapping,
    private readonly interrupt: IrqVector,
  ) {}

  /** Opens the device, checks that it is one, and turns on what it needs: bus mastering and one MSI vector. */
  static async open(address: string, options: { bind?: boolean } = {}): Promise<EduDriver> {
    const device = await Device.open(address, options);
    try {
      const { vendorId, deviceId } = device.config;
      if (vendorId !== Edu.VENDOR_ID || deviceId !== Edu.DEVICE_ID) {
        throw new Error(`${address} is ${hex(vendorId)}:${hex(deviceId)}, not an edu device (1234:11e8).`);
      }
      const registers = device.bar(0).map();
      // An MSI interrupt is a memory write by the device: without bus mastering it never leaves the device.
      device.enableBusMaster();
      const [interrupt] = device.msi.enable(1);
      return new EduDriver(device, registers, interrupt);
    } catch (error) {
      await device.close();
      throw error;
    }
  }

  /** The device's version, after checking the constant part of its identification. */
  version(): { major: number; minor: number } {
    const id = this.registers.read32(Edu.ID);
    if ((id & 0xffff) !== 0x00ed)
      throw new Error(`The identification register reads ${hex(id)}, not 0x????00ed.`);
    return { major: id >>> 24, minor: (id >>> 16) & 0xff };
  }

  /** Whether the device answers: it inverts any number it is given. */
  isAlive(): boolean {
    const question = 0x12345678;
    this.registers.write32(Edu.LIVENESS, question);
    return this.registers.read32(Edu.LIVENESS) === ~question >>> 0;
  }

  /** n! modulo 2^32, computed by the device while this thread sleeps until its interrupt. */
  async factorial(n: number): Promise<number> {
    this.registers.write32(Edu.STATUS, Status.INTERRUPT_WHEN_DONE);
    await this.interruptAfter(() => this.registers.write32(Edu.FACTORIAL, n), Cause.FACTORIAL);
    return this.registers.read32(Edu.FACTORIAL);
  }

  /** Memory that the device can reach: with an IOMMU that is a matter of choosing its address, the IOVA. */
  allocate(bytes: number): DmaBuffer {
    return this.device.dma.alloc(bytes, { addressBits: ADDRESS_BITS });
  }

  /** The device reads `bytes` from `memory` into its own buffer. */
  async copyToDevice(memory: DmaBuffer, bytes: number): Promise<void> {
    await this.transfer(memory.iova, DEVICE_BUFFER, bytes, 0);
  }

  /** The device writes `bytes` of its own buffer to `memory`. */
  async copyFromDevice(memory: DmaBuffer, bytes: number): Promise<void> {
    await this.transfer(DEVICE_BUFFER, memory.iova, bytes, DmaCommand.TO_MEMORY);
  }

  async close(): Promise<void> {
    await this.device.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private async transfer(
    source: bigint,
    destination: bigint,
    bytes: number,
    direction: number,
  ): Promise<void> {
    if (!(bytes > 0 && bytes <= DEVICE_BUFFER_BYTES)) {
      throw new RangeError(`A transfer has 1 to ${DEVICE_BUFFER_BYTES} bytes, not ${bytes}.`);
    }
    this.registers.write64(Edu.DMA_SOURCE, source);
    this.registers.write64(Edu.DMA_DESTINATION, destination);
    this.registers.write64(Edu.DMA_COUNT, BigInt(bytes));
    const command = DmaCommand.START | DmaCommand.INTERRUPT_WHEN_DONE | direction;
    await this.interruptAfter(() => this.registers.write32(Edu.DMA_COMMAND, command), Cause.DMA);
  }

  /** Starts something and sleeps until the device interrupts for `cause`, then acknowledges it. */
  private async interruptAfter(start: () => void, cause: number): Promise<void> {
    const interrupted = this.interrupt.wait({ timeoutMs: PATIENCE_MS });
    start();
    await interrupted;
    const causes = this.registers.read32(Edu.INTERRUPT_STATUS);
    this.registers.write32(Edu.INTERRUPT_ACKNOWLEDGE, causes);
    if ((causes & cause) === 0)
      throw new Error(`Interrupted for ${hex(causes)}, expected cause ${hex(cause)}.`);
  }
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
