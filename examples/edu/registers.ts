/**
 * The registers of QEMU's educational PCI device, all in BAR0, as QEMU's documentation names them
 * (docs/specs/edu). Below 0x80 a register takes 32-bit accesses only; from 0x80 on 32 or 64 bits.
 */
export const Edu = {
  VENDOR_ID: 0x1234,
  DEVICE_ID: 0x11e8,

  /** Identification, 0xRRrr00ed: major and minor version above a constant. */
  ID: 0x00,
  /** Reads back the inverse of what was written: is anybody there? */
  LIVENESS: 0x04,
  /** Write n, read n! when the device has finished. */
  FACTORIAL: 0x08,
  STATUS: 0x20,
  /** Why the device interrupts; stays set until acknowledged. */
  INTERRUPT_STATUS: 0x24,
  INTERRUPT_RAISE: 0x60,
  INTERRUPT_ACKNOWLEDGE: 0x64,
  DMA_SOURCE: 0x80,
  DMA_DESTINATION: 0x88,
  DMA_COUNT: 0x90,
  DMA_COMMAND: 0x98,
} as const;

/** Bits of {@link Edu.STATUS}. */
export const Status = { COMPUTING: 0x01, INTERRUPT_WHEN_DONE: 0x80 } as const;

/** What {@link Edu.INTERRUPT_STATUS} reports: the device's own two causes. */
export const Cause = { FACTORIAL: 0x001, DMA: 0x100 } as const;

/** Bits of {@link Edu.DMA_COMMAND}. The direction is seen from the device: `TO_MEMORY` writes our memory. */
export const DmaCommand = { START: 0x1, TO_MEMORY: 0x2, INTERRUPT_WHEN_DONE: 0x4 } as const;

/** The device's own memory, as an address for DMA_SOURCE and DMA_DESTINATION; the CPU cannot see it. */
export const DEVICE_BUFFER = 0x40000n;
export const DEVICE_BUFFER_BYTES = 4096;

/** The device drives this many address bits (its `dma_mask`), and cuts off those above without a word. */
export const ADDRESS_BITS = 28;
