import type { Device } from '../../lib/device.js';
import type { Mapping } from '../../lib/mapping.js';

/** The few registers of the Intel 82574L that the benchmarks touch; bench/c/nic.h has the same. */
export const Reg = {
  STATUS: 0x00008,
  CTRL_EXT: 0x00018,
  ICS: 0x000c8,
  IMS: 0x000d0,
  EIAC: 0x000dc,
  IVAR: 0x000e4,
  EITR: 0x000e8,
  /** The multicast table array: memory without an effect while the receiver is off. */
  MTA: 0x05200,
} as const;

export const CAUSE_RXQ0 = 1 << 20;
const IVAR_RXQ0_VALID = 1 << 3;
const CTRL_EXT_PBA_SUPPORT = 0x80000000;

/** Receive queue 0 interrupts by MSI-X vector 0, each time it was armed. */
export function routeInterrupt(device: Device, registers: Mapping): void {
  registers.write32(Reg.IVAR, IVAR_RXQ0_VALID);
  registers.write32(Reg.EIAC, CAUSE_RXQ0);
  registers.write32(Reg.CTRL_EXT, (registers.read32(Reg.CTRL_EXT) | CTRL_EXT_PBA_SUPPORT) >>> 0);
  registers.write32(Reg.EITR, 0);
  device.enableBusMaster();
}

export function armInterrupt(registers: Mapping): void {
  registers.write32(Reg.IMS, CAUSE_RXQ0);
}
