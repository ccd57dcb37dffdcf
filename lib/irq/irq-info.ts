import type { RawIrqInfo } from '../native';

/** What `VFIO_DEVICE_GET_IRQ_INFO` says about one kind of interrupt (`struct vfio_irq_info`). */
export interface IrqInfo {
  readonly index: number;
  /** `'INTx'`, `'MSI'`, `'MSI-X'`, `'ERR'`, `'REQ'`, or `'irq 5'` … */
  readonly name: string;
  /** How many vectors it has; 0 when the device lacks it. */
  readonly count: number;
  /** Can signal an eventfd. */
  readonly eventfd: boolean;
  /** Can be masked and unmasked. */
  readonly maskable: boolean;
  /** Masks itself at each interrupt, until unmasked. */
  readonly automasked: boolean;
  /** The set of vectors cannot grow while any is enabled. */
  readonly noResize: boolean;
}

/** `VFIO_PCI_*_IRQ_INDEX` */
export const IrqIndex = Object.freeze({ Intx: 0, Msi: 1, Msix: 2, Err: 3, Req: 4 });

const names = ['INTx', 'MSI', 'MSI-X', 'ERR', 'REQ'];
const flags = { eventfd: 1, maskable: 2, automasked: 4, noResize: 8 } as const;

export function decodeIrqInfo(index: number, raw: RawIrqInfo): IrqInfo {
  return Object.freeze({
    index,
    name: names[index] ?? `irq ${index}`,
    count: raw.count,
    eventfd: (raw.flags & flags.eventfd) !== 0,
    maskable: (raw.flags & flags.maskable) !== 0,
    automasked: (raw.flags & flags.automasked) !== 0,
    noResize: (raw.flags & flags.noResize) !== 0,
  });
}
