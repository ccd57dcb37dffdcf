import type { Area } from './region-info';
import { extendedNames, standardNames } from './pci-capability-names';
import { Region } from './region';
import { boolean, hex, integer, show, typeError, valueError } from './validate';

/** Offsets in the header every PCI function has (PCI Local Bus Specification 3.0, section 6.1). */
const header = {
  vendorId: 0x00,
  deviceId: 0x02,
  command: 0x04,
  status: 0x06,
  revision: 0x08,
  bar: 0x10,
  subsystemVendorId: 0x2c,
  subsystemId: 0x2e,
  capabilities: 0x34,
} as const;

const command = { memory: 1 << 1, busMaster: 1 << 2 } as const;
const statusHasCapabilities = 1 << 4;
const firstExtended = 0x100;
const msix = { id: 0x11, control: 2, table: 4, bytes: 12, entryBytes: 16 } as const;

/** A capability found in config space. */
export interface PciCapability {
  readonly id: number;
  /** `'MSI-X'`, `'Power Management'`, …, or `'capability 0x42'` where the library has no name. */
  readonly name: string;
  /** Where it starts in config space, in bytes. */
  readonly offset: number;
  /** Whether it lies in extended config space (PCI Express). */
  readonly extended: boolean;
  /** The version of an extended capability; 0 for others. */
  readonly version: number;
}

/**
 * The configuration space of a PCI device, as the kernel lets userspace see it: some registers are virtual (BARs, MSI
 * set-up), writes to what the kernel manages are dropped, capabilities it does not know are hidden.
 */
export class PciConfig extends Region {
  #msixTable: (Area & { bar: number }) | null | undefined;

  get vendorId(): number {
    return this.read16(header.vendorId);
  }
  get deviceId(): number {
    return this.read16(header.deviceId);
  }
  get subsystemVendorId(): number {
    return this.read16(header.subsystemVendorId);
  }
  get subsystemId(): number {
    return this.read16(header.subsystemId);
  }
  get revision(): number {
    return this.read8(header.revision);
  }
  /** The 24-bit class code. */
  get classCode(): number {
    return this.read32(header.revision) >>> 8;
  }
  /** The command register. */
  get command(): number {
    return this.read16(header.command);
  }
  /** The status register. */
  get status(): number {
    return this.read16(header.status);
  }

  /**
   * Whether the device may start transactions of its own: DMA, and MSI and MSI-X, which are memory writes. The kernel
   * clears it when a device is opened, so a driver sets it when its rings are ready.
   */
  get busMaster(): boolean {
    return (this.command & command.busMaster) !== 0;
  }
  set busMaster(on: boolean) {
    this.#setCommand(command.busMaster, boolean(on, 'busMaster'));
  }

  /**
   * Whether the device answers on its memory BARs. While it is off every access to them fails: mapped registers read
   * all-ones, {@link Region} accessors throw `EIO`.
   */
  get memoryDecoding(): boolean {
    return (this.command & command.memory) !== 0;
  }
  set memoryDecoding(on: boolean) {
    this.#setCommand(command.memory, boolean(on, 'memoryDecoding'));
  }

  /** Every capability: the standard list in its order, then the extended one. A broken list ends the walk. */
  capabilities(): readonly PciCapability[] {
    return Object.freeze([...this.#standard(), ...this.#extended()]);
  }

  /**
   * The first standard capability of that id or name: `config.find('MSI-X')`, `config.find(0x11)`.
   *
   * @returns `undefined` when the device lacks it
   */
  find(which: number | string): PciCapability | undefined {
    return find(this.#standard(), which, standardNames);
  }

  /** The first extended capability of that id or name: `config.findExtended('SR-IOV')`. */
  findExtended(which: number | string): PciCapability | undefined {
    return find(this.#extended(), which, extendedNames);
  }

  /** The raw base address register of a BAR: bit 0 says I/O ports. The address in it is virtual. */
  barRegister(index: number): number {
    return this.read32(header.bar + 4 * integer(index, 'index', 0, 5));
  }

  /** Where the MSI-X table lies (PCI Express Base Specification 5.0, section 7.7.2); `undefined` without MSI-X. */
  msixTable(): (Area & { readonly bar: number }) | undefined {
    if (this.#msixTable === undefined) {
      const at = this.find(msix.id)?.offset;
      this.#msixTable = at === undefined ? null : this.#readMsixTable(at);
    }
    return this.#msixTable ?? undefined;
  }

  #readMsixTable(at: number): (Area & { bar: number }) | null {
    // A list that a broken device drew: the rest of it would lie in extended config space, if anywhere.
    if (at + msix.bytes > firstExtended) return null;
    const vectors = (this.read16(at + msix.control) & 0x7ff) + 1;
    const table = this.read32(at + msix.table);
    return Object.freeze({ bar: table & 7, offset: (table & ~7) >>> 0, size: vectors * msix.entryBytes });
  }

  #setCommand(bit: number, on: boolean): void {
    const now = this.command;
    this.write16(header.command, on ? now | bit : now & ~bit);
  }

  /** Standard capabilities: 8-bit id, 8-bit pointer to the next, dword aligned, from 0x40 to 0xff. */
  *#standard(): Generator<PciCapability> {
    if ((this.status & statusHasCapabilities) === 0) return;
    const seen = new Set<number>();
    let offset = this.read8(header.capabilities) & ~3;
    while (offset >= 0x40 && offset < firstExtended && !seen.has(offset)) {
      seen.add(offset);
      const id = this.read8(offset);
      if (id === 0xff) return; // the device does not answer
      yield capability(id, offset, false, 0, standardNames);
      offset = this.read8(offset + 1) & ~3;
    }
  }

  /** Extended capabilities: 16-bit id, 4-bit version, 12-bit pointer to the next, from 0x100. */
  *#extended(): Generator<PciCapability> {
    const seen = new Set<number>();
    let offset = firstExtended;
    while (offset >= firstExtended && offset + 4 <= this.size && !seen.has(offset)) {
      seen.add(offset);
      const word = this.read32(offset);
      if (word === 0 || word === 0xffff_ffff) return;
      // The kernel leaves an entry with id 0 where it hides the first capability of the list.
      if ((word & 0xffff) !== 0)
        yield capability(word & 0xffff, offset, true, (word >>> 16) & 0xf, extendedNames);
      offset = (word >>> 20) & ~3;
    }
  }
}

function capability(
  id: number,
  offset: number,
  extended: boolean,
  version: number,
  names: Readonly<Record<number, string>>,
): PciCapability {
  return Object.freeze({ id, name: names[id] ?? `capability ${hex(id)}`, offset, extended, version });
}

function find(
  list: Iterable<PciCapability>,
  which: number | string,
  names: Readonly<Record<number, string>>,
): PciCapability | undefined {
  if (typeof which === 'string') {
    if (!Object.values(names).includes(which)) {
      throw valueError('which', `an id or one of ${Object.values(names).map(show).join(', ')}`, which);
    }
  } else if (typeof which !== 'number') {
    throw typeError('which', 'an id or a name', which);
  } else {
    integer(which, 'which', 0, 0xffff);
  }
  for (const one of list) if (one.id === which || one.name === which) return one;
  return undefined;
}
