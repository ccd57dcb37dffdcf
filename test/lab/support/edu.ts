import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Device, Mapping } from 'vfio';
import { ADDRESS_BITS, DEVICE_BUFFER, DmaCommand, Edu } from '../../../examples/edu/registers';

export { ADDRESS_BITS, Edu };

/** More at once would make QEMU before 10 stop: its range check of the device's 4 KiB is off by one. */
export const EDU_BYTES = 2048;

/** QEMU's edu device driven by polling: the least between a test and what the device does. */
export class EduCard {
  readonly registers: Mapping;

  constructor(readonly device: Device) {
    this.registers = device.bar(0).map();
  }

  /** Asserts the device's interrupt. */
  raise(cause = 1): void {
    this.registers.write32(Edu.INTERRUPT_RAISE, cause);
  }

  /** Makes the device stop asserting it. */
  acknowledge(): void {
    this.registers.write32(Edu.INTERRUPT_ACKNOWLEDGE, 0xffff_ffff);
  }

  /** Has the device read `bytes` at an IOVA into its own memory. */
  readFrom(iova: bigint, bytes = EDU_BYTES): Promise<void> {
    return this.#transfer(iova, DEVICE_BUFFER, bytes, 0);
  }

  /** Has the device write `bytes` of its own memory to an IOVA. */
  writeTo(iova: bigint, bytes = EDU_BYTES): Promise<void> {
    return this.#transfer(DEVICE_BUFFER, iova, bytes, DmaCommand.TO_MEMORY);
  }

  async #transfer(source: bigint, destination: bigint, bytes: number, direction: number): Promise<void> {
    this.registers.write64(Edu.DMA_SOURCE, source);
    this.registers.write64(Edu.DMA_DESTINATION, destination);
    this.registers.write64(Edu.DMA_COUNT, BigInt(bytes));
    this.registers.write32(Edu.DMA_COMMAND, DmaCommand.START | direction);
    for (let i = 0; i < 4000; i++) {
      if ((this.registers.read32(Edu.DMA_COMMAND) & DmaCommand.START) === 0) return;
      await sleep(5);
    }
    assert.fail('the edu device did not end its transfer');
  }
}

/** Bytes that differ from page to page and from byte to byte. */
export function fillPattern(bytes: Uint8Array, seed: number): void {
  for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 7 + (i >> 8) + seed) & 0xff;
}
