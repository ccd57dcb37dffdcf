/**
 * Registers of the Intel 82576 that this driver touches, with their bits.
 *
 * Names and offsets are those of chapter 8, "Programming Interface", of the "Intel 82576EB Gigabit Ethernet Controller
 * Datasheet", revision 2.7 (June 2014). Nothing in this file has behaviour.
 */
import { bit, bits, defineRegisters } from 'vfio/kit';
import { linkFields } from '../intel/link-state.js';
import { MDIC } from '../intel/mdic.js';

/** Queues each way. */
export const MOST_QUEUES = 16;

/** From the registers of one queue to those of the next. */
const QUEUE = { count: MOST_QUEUES, stride: 0x40 } as const;

/** How descriptors are fetched and written back; the same for both directions. */
export const DESCRIPTOR_CONTROL = {
  /** Fetch when fewer than so many are left on the device, and at least so many are there to fetch. */
  PREFETCH_THRESHOLD: bits(4, 0),
  HOST_THRESHOLD: bits(12, 8),
  /** Write back when so many are done. */
  WRITE_BACK_THRESHOLD: bits(20, 16),
  ENABLE: bit(25),
} as const;

/** How frames are laid into buffers: SRRCTL, "split and replication receive control". */
export const SPLIT_AND_REPLICATION = {
  /** Of each buffer, in KiB. */
  PACKET_BUFFER_KIB: bits(6, 0),
  DESCRIPTOR_TYPE: bits(27, 25),
  /** A frame that the queue has no descriptor for is dropped, and does not wait in everybody's way. */
  DROP: bit(31),
} as const;

export const registerMap = defineRegisters({
  // General
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
  STATUS: {
    offset: 0x00008,
    access: 'ro',
    fields: {
      ...linkFields,
      /** Which port of the card this is. */
      LAN_ID: bits(3, 2),
      GIO_MASTER_ENABLE: bit(19),
    },
  },
  EECD: {
    offset: 0x00010,
    access: 'rw',
    /** Set once the reset has reloaded the settings kept in the EEPROM. */
    fields: { AUTO_READ_DONE: bit(9) },
  },
  CTRL_EXT: { offset: 0x00018, access: 'rw', fields: { DRIVER_LOADED: bit(28) } },
  /** Access to the PHY's registers. */
  MDIC,
  /** The semaphore of software and firmware: SMBI is set by reading it. */
  SWSM: { offset: 0x05b50, access: 'rw', fields: { SMBI: bit(0), SWESMBI: bit(1) } },
  /** What software (lower half) and firmware (upper half) own. */
  SW_FW_SYNC: { offset: 0x05b5c, access: 'rw' },

  // Interrupts. The first ones are at 0x1500 and on, too; here are the places that they have in all of the family.
  ICR: { offset: 0x000c0, access: 'w1c', fields: { LINK_STATUS_CHANGE: bit(2) } },
  IMS: { offset: 0x000d0, access: 'rw', fields: { LINK_STATUS_CHANGE: bit(2) } },
  IMC: { offset: 0x000d8, access: 'wo' },
  IAM: { offset: 0x000e0, access: 'rw' },
  GPIE: {
    offset: 0x01514,
    access: 'rw',
    fields: {
      /** ICR is cleared as its reader expects in MSI-X mode. */
      NON_SELECTIVE_CLEAR: bit(0),
      MULTIPLE_MSIX: bit(4),
      /** Sending an interrupt masks its vector, as EIAM says. */
      EXTENDED_AUTO_MASK: bit(30),
      PBA_SUPPORT: bit(31),
    },
  },
  /** The "extended" registers have a bit for each MSI-X vector. */
  EICS: { offset: 0x01520, access: 'wo' },
  EIMS: { offset: 0x01524, access: 'rw' },
  EIMC: { offset: 0x01528, access: 'wo' },
  EIAC: { offset: 0x0152c, access: 'rw' },
  EIAM: { offset: 0x01530, access: 'rw' },
  EICR: { offset: 0x01580, access: 'w1c' },
  /** The least time between two interrupts, of each vector. */
  EITR: { offset: 0x01680, access: 'rw', count: 25 },
  /** The vectors of queues n and n + 8: a byte for each of receive n, transmit n, receive n + 8, transmit n + 8. */
  IVAR: { offset: 0x01700, access: 'rw', count: 8 },
  /** The vector of what belongs to no queue. */
  IVAR_MISC: { offset: 0x01740, access: 'rw', fields: { OTHER: bits(12, 8), OTHER_VALID: bit(15) } },

  // Receive
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
  RXCSUM: {
    offset: 0x05000,
    access: 'rw',
    /** The descriptor has the RSS hash in the place of a checksum. */
    fields: { PACKET_CHECKSUM_DISABLE: bit(13) },
  },
  RFCTL: { offset: 0x05008, access: 'rw' },
  /** The multicast table. */
  MTA: { offset: 0x05200, access: 'rw', count: 128 },
  RAL: { offset: 0x05400, access: 'rw', count: 16, stride: 8 },
  RAH: {
    offset: 0x05404,
    access: 'rw',
    count: 16,
    stride: 8,
    fields: { ADDRESS: bits(15, 0), VALID: bit(31) },
  },
  RDBAL: { offset: 0x0c000, access: 'rw', ...QUEUE },
  RDBAH: { offset: 0x0c004, access: 'rw', ...QUEUE },
  RDLEN: { offset: 0x0c008, access: 'rw', ...QUEUE },
  SRRCTL: {
    offset: 0x0c00c,
    access: 'rw',
    ...QUEUE,
    fields: SPLIT_AND_REPLICATION,
  },
  RDH: { offset: 0x0c010, access: 'rw', ...QUEUE },
  RDT: { offset: 0x0c018, access: 'rw', ...QUEUE },
  RXDCTL: { offset: 0x0c028, access: 'rw', ...QUEUE, fields: DESCRIPTOR_CONTROL },
  /** Frames dropped for want of a descriptor. */
  RQDPC: { offset: 0x0c030, access: 'rc', ...QUEUE },

  // Receive-side scaling
  MRQC: {
    offset: 0x05818,
    access: 'rw',
    fields: {
      MULTIPLE_QUEUES: bits(2, 0),
      TCP_IPV4: bit(16),
      IPV4: bit(17),
      IPV6: bit(20),
      TCP_IPV6: bit(21),
      UDP_IPV4: bit(22),
      UDP_IPV6: bit(23),
    },
  },
  /** 128 bytes: a queue for each value of the hash's lowest seven bits. */
  RETA: { offset: 0x05c00, access: 'rw', count: 32 },
  /** The 40 bytes of the hash's key. */
  RSSRK: { offset: 0x05c80, access: 'rw', count: 10 },

  // Transmit
  TCTL: {
    offset: 0x00400,
    access: 'rw',
    fields: {
      ENABLE: bit(1),
      PAD_SHORT_FRAMES: bit(3),
      COLLISION_THRESHOLD: bits(11, 4),
      BACK_OFF_SLOT_TIME: bits(21, 12),
    },
  },
  TDBAL: { offset: 0x0e000, access: 'rw', ...QUEUE },
  TDBAH: { offset: 0x0e004, access: 'rw', ...QUEUE },
  TDLEN: { offset: 0x0e008, access: 'rw', ...QUEUE },
  TDH: { offset: 0x0e010, access: 'rw', ...QUEUE },
  TDT: { offset: 0x0e018, access: 'rw', ...QUEUE },
  TXDCTL: { offset: 0x0e028, access: 'rw', ...QUEUE, fields: DESCRIPTOR_CONTROL },

  // Statistics
  CRCERRS: { offset: 0x04000, access: 'rc' },
  RXERRC: { offset: 0x0400c, access: 'rc' },
  MPC: { offset: 0x04010, access: 'rc' },
  GPRC: { offset: 0x04074, access: 'rc' },
  BPRC: { offset: 0x04078, access: 'rc' },
  MPRC: { offset: 0x0407c, access: 'rc' },
  GPTC: { offset: 0x04080, access: 'rc' },
  RNBC: { offset: 0x040a0, access: 'rc' },
  ROC: { offset: 0x040ac, access: 'rc' },
});
export type IgbRegisters = ReturnType<(typeof registerMap)['over']>;

/** SRRCTL.DESCRIPTOR_TYPE: advanced descriptors with one buffer. */
export const ADVANCED_ONE_BUFFER = 1;

/** MRQC.MULTIPLE_QUEUES. */
export const QueueSelection = { ONE: 0, RSS: 2 } as const;

/** An entry of IVAR is a vector and this. */
export const IVAR_VALID = 0x80;

/** MDIC.OPERATION. */
export const PhyOperation = { WRITE: 1, READ: 2 } as const;
