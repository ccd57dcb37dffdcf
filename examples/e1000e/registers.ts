/**
 * Registers of the Intel 82574L that this driver touches, in BAR0, with their bits.
 *
 * Section numbers, here and in the other files, are those of the "Intel 82574 GbE Controller Family Datasheet",
 * revision 3.4 (June 2014); all registers are in its chapter 10.2. Nothing in this file has behaviour.
 */
import { bit, bits, defineRegisters } from 'vfio/kit';
import { linkFields } from '../intel/link-state.js';
import { MDIC } from '../intel/mdic.js';

export const registerMap = defineRegisters({
  // General (10.2.2)
  /** Device control (10.2.2.1). */
  CTRL: {
    offset: 0x00000,
    access: 'rw',
    fields: {
      FULL_DUPLEX: bit(0),
      GIO_MASTER_DISABLE: bit(2),
      /** Must be set for the MAC to take notice of the PHY's link. */
      SET_LINK_UP: bit(6),
      RESET: bit(26),
    },
  },
  /** Device status (10.2.2.2). */
  STATUS: {
    offset: 0x00008,
    access: 'ro',
    fields: { ...linkFields, GIO_MASTER_ENABLE: bit(19) },
  },
  /** NVM control (10.2.2.3). */
  EEC: {
    offset: 0x00010,
    access: 'rw',
    /** Set once the reset has reloaded the settings kept in the NVM. */
    fields: { AUTO_READ_DONE: bit(9) },
  },
  /** Extended device control (10.2.2.5). */
  CTRL_EXT: {
    offset: 0x00018,
    access: 'rw',
    fields: {
      /** Sending an MSI-X message masks its cause, as IAM says. */
      EIAME: bit(24),
      /** Reading ICR masks causes: the older scheme, which would get in the way. */
      IAME: bit(27),
      /** Tells firmware that a driver has the device. */
      DRIVER_LOADED: bit(28),
      /** Unmasking a cause clears its vector's pending bit: how MSI-X mode is to be used. */
      PBA_SUPPORT: bit(31),
    },
  },
  /** Access to the PHY's registers (10.2.2.7). */
  MDIC,
  EXTCNF_CTRL: {
    offset: 0x00f00,
    access: 'rw',
    /** Set while software, not firmware, may use MDIC; stays clear while firmware has it. */
    fields: { MDIO_SOFTWARE_OWNERSHIP: bit(5) },
  },

  // Interrupts (10.2.4): the bits of all but IVAR and EITR are those of {@link Cause}
  ICR: { offset: 0x000c0, access: 'w1c' },
  ICS: { offset: 0x000c8, access: 'wo' },
  IMS: { offset: 0x000d0, access: 'rw' },
  IMC: { offset: 0x000d8, access: 'wo' },
  EIAC: { offset: 0x000dc, access: 'rw' },
  IAM: { offset: 0x000e0, access: 'rw' },
  /** Which MSI-X vector a cause is sent as (10.2.4.9): a vector number and a valid bit for each. */
  IVAR: {
    offset: 0x000e4,
    access: 'rw',
    fields: {
      RXQ0: bits(2, 0),
      RXQ0_VALID: bit(3),
      TXQ0: bits(10, 8),
      TXQ0_VALID: bit(11),
      OTHER: bits(18, 16),
      OTHER_VALID: bit(19),
    },
  },
  /** One for each MSI-X vector. */
  EITR: { offset: 0x000e8, access: 'rw', count: 5 },

  // Receive (10.2.5)
  /** Receive control (10.2.5.1). Buffers of 2048 bytes are what BSIZE 0 means. */
  RCTL: {
    offset: 0x00100,
    access: 'rw',
    fields: {
      ENABLE: bit(1),
      PROMISCUOUS_UNICAST: bit(3),
      PROMISCUOUS_MULTICAST: bit(4),
      ACCEPT_BROADCAST: bit(15),
      /** The CRC is neither stored nor counted in a descriptor's length. */
      STRIP_CRC: bit(26),
    },
  },
  RDBAL: { offset: 0x02800, access: 'rw' },
  RDBAH: { offset: 0x02804, access: 'rw' },
  RDLEN: { offset: 0x02808, access: 'rw' },
  RDH: { offset: 0x02810, access: 'rw' },
  RDT: { offset: 0x02818, access: 'rw' },
  RDTR: { offset: 0x02820, access: 'rw' },
  RADV: { offset: 0x0282c, access: 'rw' },
  /** Receive checksum control: which checksums the device verifies, those of IPv4 headers, and those of TCP and UDP. */
  RXCSUM: { offset: 0x05000, access: 'rw', fields: { IP: bit(8), TRANSPORT: bit(9) } },
  RFCTL: { offset: 0x05008, access: 'rw' },
  /** The multicast table array. */
  MTA: { offset: 0x05200, access: 'rw', count: 128 },
  RAL0: { offset: 0x05400, access: 'rw' },
  /** Receive address, high half (10.2.5.23). */
  RAH0: { offset: 0x05404, access: 'rw', fields: { VALID: bit(31) } },

  // Transmit (10.2.6)
  /** Transmit control (10.2.6.1). */
  TCTL: {
    offset: 0x00400,
    access: 'rw',
    fields: {
      ENABLE: bit(1),
      PAD_SHORT_FRAMES: bit(3),
      COLLISION_THRESHOLD: bits(11, 4),
      COLLISION_DISTANCE: bits(21, 12),
    },
  },
  /** The gaps between frames. */
  TIPG: {
    offset: 0x00410,
    access: 'rw',
    fields: { IPGT: bits(9, 0), IPGR1: bits(19, 10), IPGR2: bits(29, 20) },
  },
  TDBAL: { offset: 0x03800, access: 'rw' },
  TDBAH: { offset: 0x03804, access: 'rw' },
  TDLEN: { offset: 0x03808, access: 'rw' },
  TDH: { offset: 0x03810, access: 'rw' },
  TDT: { offset: 0x03818, access: 'rw' },
  /** Transmit descriptor control (10.2.6.11). */
  TXDCTL: {
    offset: 0x03828,
    access: 'rw',
    fields: {
      WRITE_BACK_THRESHOLD: bits(21, 16),
      /** Reserved, yet the device wants it set. */
      RESERVED_ONE: bit(22),
      /** Thresholds count descriptors rather than cache lines. */
      DESCRIPTOR_GRANULARITY: bit(24),
    },
  },

  // Statistics (10.2.7)
  CRCERRS: { offset: 0x04000, access: 'rc' },
  RXERRC: { offset: 0x0400c, access: 'rc' },
  MPC: { offset: 0x04010, access: 'rc' },
  GPRC: { offset: 0x04074, access: 'rc' },
  GPTC: { offset: 0x04080, access: 'rc' },
  RNBC: { offset: 0x040a0, access: 'rc' },
  ROC: { offset: 0x040ac, access: 'rc' },
});
export type E1000eRegisters = ReturnType<(typeof registerMap)['over']>;

/** Causes of interrupts: bits of ICR, ICS, IMS, IMC, EIAC and IAM (10.2.4.1). */
export const Cause = {
  LINK_STATUS_CHANGE: 1 << 2,
  RECEIVE_OVERRUN: 1 << 6,
  RXQ0: 1 << 20,
  TXQ0: 1 << 22,
  /** Any cause that does not belong to a queue. */
  OTHER: 1 << 24,
  ALL: 0xffffffff,
} as const;
