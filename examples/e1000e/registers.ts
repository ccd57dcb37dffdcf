/**
 * Registers of the Intel 82574L that this driver touches, as offsets into BAR0, with their bits.
 *
 * Section numbers, here and in the other files, are those of the "Intel 82574 GbE Controller Family Datasheet",
 * revision 3.4 (June 2014); all registers are in its chapter 10.2. Nothing in this file has behaviour.
 */

export const Reg = {
  // General (10.2.2)
  CTRL: 0x00000,
  STATUS: 0x00008,
  EEC: 0x00010,
  CTRL_EXT: 0x00018,
  MDIC: 0x00020,
  EXTCNF_CTRL: 0x00f00,

  // Interrupts (10.2.4)
  ICR: 0x000c0,
  ICS: 0x000c8,
  IMS: 0x000d0,
  IMC: 0x000d8,
  EIAC: 0x000dc,
  IAM: 0x000e0,
  IVAR: 0x000e4,
  /** EITR 0 to 4, four bytes apart: one for each MSI-X vector. */
  EITR: 0x000e8,

  // Receive (10.2.5)
  RCTL: 0x00100,
  RDBAL: 0x02800,
  RDBAH: 0x02804,
  RDLEN: 0x02808,
  RDH: 0x02810,
  RDT: 0x02818,
  RDTR: 0x02820,
  RADV: 0x0282c,
  RXCSUM: 0x05000,
  RFCTL: 0x05008,
  /** The multicast table array, {@link MTA_WORDS} words. */
  MTA: 0x05200,
  RAL0: 0x05400,
  RAH0: 0x05404,

  // Transmit (10.2.6)
  TCTL: 0x00400,
  TIPG: 0x00410,
  TDBAL: 0x03800,
  TDBAH: 0x03804,
  TDLEN: 0x03808,
  TDH: 0x03810,
  TDT: 0x03818,
  TXDCTL: 0x03828,

  // Statistics (10.2.7): 32 bits each, cleared by reading
  CRCERRS: 0x04000,
  RXERRC: 0x0400c,
  MPC: 0x04010,
  GPRC: 0x04074,
  GPTC: 0x04080,
  RNBC: 0x040a0,
  ROC: 0x040ac,
} as const;

export const MTA_WORDS = 128;

/** Device control (10.2.2.1). */
export const Ctrl = {
  FULL_DUPLEX: 1 << 0,
  GIO_MASTER_DISABLE: 1 << 2,
  /** Must be set for the MAC to take notice of the PHY's link. */
  SET_LINK_UP: 1 << 6,
  RESET: 1 << 26,
} as const;

/** Device status (10.2.2.2). */
export const Status = {
  FULL_DUPLEX: 1 << 0,
  LINK_UP: 1 << 1,
  SPEED_SHIFT: 6,
  SPEED_MASK: 0b11,
  GIO_MASTER_ENABLE: 1 << 19,
} as const;

/** NVM control (10.2.2.3): set once the reset has reloaded the settings kept in the NVM. */
export const EEC_AUTO_READ_DONE = 1 << 9;

/** Extended device control (10.2.2.5). */
export const CtrlExt = {
  /** Sending an MSI-X message masks its cause, as IAM says. */
  EIAME: 1 << 24,
  /** Reading ICR masks causes: the older scheme, which would get in the way. */
  IAME: 1 << 27,
  /** Tells firmware that a driver has the device. */
  DRIVER_LOADED: 1 << 28,
  /** Unmasking a cause clears its vector's pending bit: how MSI-X mode is to be used. */
  PBA_SUPPORT: 0x80000000,
} as const;

/** Access to the PHY's registers (10.2.2.7). */
export const Mdic = {
  DATA_MASK: 0xffff,
  REGISTER_SHIFT: 16,
  PHY_SHIFT: 21,
  WRITE: 1 << 26,
  READ: 2 << 26,
  READY: 1 << 28,
  ERROR: 1 << 30,
} as const;

/** EXTCNF_CTRL: set while software, not firmware, may use MDIC; stays clear while firmware has it. */
export const MDIO_SOFTWARE_OWNERSHIP = 1 << 5;

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

/** Which MSI-X vector a cause is sent as (10.2.4.9): a vector number and a valid bit for each. */
export const Ivar = {
  RXQ0_SHIFT: 0,
  TXQ0_SHIFT: 8,
  OTHER_SHIFT: 16,
  VALID: 1 << 3,
} as const;

/** Receive control (10.2.5.1). Buffers of 2048 bytes are what BSIZE 0 means. */
export const Rctl = {
  ENABLE: 1 << 1,
  PROMISCUOUS_UNICAST: 1 << 3,
  PROMISCUOUS_MULTICAST: 1 << 4,
  ACCEPT_BROADCAST: 1 << 15,
  /** The CRC is neither stored nor counted in a descriptor's length. */
  STRIP_CRC: 1 << 26,
} as const;

/** Receive checksum control: which checksums the device verifies. */
export const Rxcsum = {
  /** Those of IPv4 headers (IPOFLD). */
  IP: 1 << 8,
  /** Those of TCP and UDP (TUOFLD). */
  TRANSPORT: 1 << 9,
} as const;

/** Receive address, high half (10.2.5.23). */
export const RAH_ADDRESS_VALID = 0x80000000;

/** Transmit control (10.2.6.1). */
export const Tctl = {
  ENABLE: 1 << 1,
  PAD_SHORT_FRAMES: 1 << 3,
  COLLISION_THRESHOLD_SHIFT: 4,
  COLLISION_DISTANCE_SHIFT: 12,
} as const;

/** Transmit descriptor control (10.2.6.11). */
export const Txdctl = {
  WRITE_BACK_THRESHOLD_SHIFT: 16,
  /** Reserved, yet the device wants it set. */
  RESERVED_ONE: 1 << 22,
  /** Thresholds count descriptors rather than cache lines. */
  DESCRIPTOR_GRANULARITY: 1 << 24,
} as const;
