/**
 * Registers of a virtual function of the Intel 82576: a small selection of its physical function's, at places of their own.
 *
 * Names and offsets are those that the datasheet named in ../registers.ts has for virtual functions, but for MAILBOX, which it
 * calls VFMailbox, and MAILBOX_MEMORY, its VMBMEM.
 */
import { bit, bits, defineRegisters } from 'vfio/kit';
import { linkFields } from '../../intel/link-state.js';
import { DESCRIPTOR_CONTROL, SPLIT_AND_REPLICATION } from '../registers.js';

const QUEUE = { count: 2, stride: 0x100 } as const;

export const vfRegisterMap = defineRegisters({
  CTRL: { offset: 0x0000, access: 'rw', fields: { RESET: bit(26) } },
  STATUS: {
    offset: 0x0008,
    access: 'ro',
    fields: linkFields,
  },

  // The mailbox to the driver of the physical function
  MAILBOX_MEMORY: { offset: 0x0800, access: 'rw', count: 16 },
  MAILBOX: {
    offset: 0x0c40,
    access: 'rw',
    fields: {
      /** Written: there is a message for it. */
      REQUEST: bit(0),
      /** Written: its message was read. */
      ACKNOWLEDGE: bit(1),
      /** Who has the memory: we, or it. */
      OURS: bit(2),
      THEIRS: bit(3),
      /** It wrote a message. Cleared by reading, as is the next one. */
      MESSAGE: bit(4),
      /** It read our message. */
      ACKNOWLEDGED: bit(5),
      /** It is being reset, and we with it. */
      IN_RESET: bit(6),
    },
  },

  // Interrupts: a bit for each of the three MSI-X vectors
  EICS: { offset: 0x1520, access: 'wo' },
  EIMS: { offset: 0x1524, access: 'rw' },
  EIMC: { offset: 0x1528, access: 'wo' },
  EIAC: { offset: 0x152c, access: 'rw' },
  EIAM: { offset: 0x1530, access: 'rw' },
  EICR: { offset: 0x1580, access: 'w1c' },
  EITR: { offset: 0x1680, access: 'rw', count: 3 },
  IVAR: {
    offset: 0x1700,
    access: 'rw',
    fields: { RX0: bits(1, 0), RX0_VALID: bit(7), TX0: bits(9, 8), TX0_VALID: bit(15) },
  },
  /** The vector of the mailbox. */
  IVAR_MISC: { offset: 0x1740, access: 'rw', fields: { MAILBOX: bits(1, 0), MAILBOX_VALID: bit(7) } },

  // Queues
  RDBAL: { offset: 0x2800, access: 'rw', ...QUEUE },
  RDBAH: { offset: 0x2804, access: 'rw', ...QUEUE },
  RDLEN: { offset: 0x2808, access: 'rw', ...QUEUE },
  SRRCTL: {
    offset: 0x280c,
    access: 'rw',
    ...QUEUE,
    fields: SPLIT_AND_REPLICATION,
  },
  RDH: { offset: 0x2810, access: 'rw', ...QUEUE },
  RDT: { offset: 0x2818, access: 'rw', ...QUEUE },
  RXDCTL: { offset: 0x2828, access: 'rw', ...QUEUE, fields: DESCRIPTOR_CONTROL },
  TDBAL: { offset: 0x3800, access: 'rw', ...QUEUE },
  TDBAH: { offset: 0x3804, access: 'rw', ...QUEUE },
  TDLEN: { offset: 0x3808, access: 'rw', ...QUEUE },
  TDH: { offset: 0x3810, access: 'rw', ...QUEUE },
  TDT: { offset: 0x3818, access: 'rw', ...QUEUE },
  TXDCTL: { offset: 0x3828, access: 'rw', ...QUEUE, fields: DESCRIPTOR_CONTROL },

  // Statistics: they count on from wherever they are, and start again at 0 after 2^32 - 1
  VFGPRC: { offset: 0x0f10, access: 'ro' },
  VFGPTC: { offset: 0x0f14, access: 'ro' },
  VFMPRC: { offset: 0x0f3c, access: 'ro' },
});
export type VfRegisters = ReturnType<(typeof vfRegisterMap)['over']>;
