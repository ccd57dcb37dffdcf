import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as util from 'node:util';
import { Device, HwPageTable, type PageTable } from 'vfio';
import { Iommufd } from '../../../lib/iommufd/iommufd';
import type { Needs } from '../../support/needs';

/** What tests need of iommufd's mock devices (IOMMUFD_TEST). */
export const mockMachine: Needs = {
  profile: 'iommufd-mock',
  iommufd: true,
  files: ['/sys/bus/iommufd_mock'],
};

/** `IOMMU_TEST_CMD` and `struct iommu_test_cmd` */
const request = 0x3ba0;
const structBytes = 72;
const body = 16;

const op = {
  domainReplace: 10,
  domainFlags: 12,
  dirty: 13,
  checkIotlb: 14,
  triggerFault: 15,
  checkCache: 16,
  triggerEvent: 17,
  pasidAttach: 18,
  pasidReplace: 19,
  pasidDetach: 20,
  pasidCheck: 21,
} as const;

export const MockFlags = { NoDirty: 1, Pasid: 4 } as const;
/** Where the mock IOMMU's page tables begin and end. */
export const aperture = { start: 0x100_0000n, last: 0x7fff_ffffn };

/** An iommufd with mock devices in it: an IOMMU in software, with what no emulated hardware has. */
export class MockIommu implements Disposable {
  readonly iommufd: Iommufd;
  readonly #file: number;

  constructor() {
    const before = iommufds();
    this.iommufd = Iommufd.open();
    const [file] = [...iommufds()].filter(fd => !before.has(fd));
    if (file === undefined) throw new Error('no file was opened');
    this.#file = file;
  }

  /** A new device, attached to a page table. */
  device(target: PageTable, flags = 0): MockDevice {
    const answer = this.test(op.domainFlags, target.id, view => view.setUint32(body + 12, flags, true));
    const [object, table, device] = [0, 4, 8].map(offset => answer.getUint32(body + offset, true));
    return new MockDevice(this, object ?? 0, table ?? 0, device ?? 0);
  }

  /** Has the mock IOMMU of a page table note that a device wrote these pages. */
  markDirty(
    table: HwPageTable,
    iova: bigint,
    pageSize: number,
    pages: readonly number[],
    count: number,
  ): number {
    const bitmap = new BigUint64Array(Math.ceil(count / 64));
    for (const page of pages) bitmap[page >> 6] = (bitmap[page >> 6] ?? 0n) | (1n << BigInt(page & 63));
    const answer = this.test(
      op.dirty,
      table.id,
      view => {
        view.setBigUint64(body + 8, iova, true);
        view.setBigUint64(body + 16, BigInt(count * pageSize), true);
        view.setBigUint64(body + 24, BigInt(pageSize), true);
      },
      { at: body + 32, bytes: new Uint8Array(bitmap.buffer) },
    );
    return Number(answer.getBigUint64(body + 40, true));
  }

  /** Whether an entry of the translation cache of a nested page table has that value. */
  hasTranslation(table: HwPageTable, entry: number, value: number): boolean {
    return this.holds(op.checkIotlb, table.id, entry, value);
  }

  /** @internal One `IOMMU_TEST_CMD`. @throws a system error */
  test(
    operation: number,
    id: number,
    fill: (view: DataView) => void = () => undefined,
    payload?: { at: number; bytes: Uint8Array },
  ): DataView {
    const command = new Uint8Array(structBytes);
    const view = new DataView(command.buffer);
    view.setUint32(0, structBytes, true);
    view.setUint32(4, operation, true);
    view.setUint32(8, id, true);
    fill(view);
    const args = [
      String(request),
      String(structBytes),
      ...(payload === undefined ? [] : [String(payload.at)]),
    ];
    const { stdout, status, error } = spawnSync(program(), args, {
      input: Buffer.concat([command, payload?.bytes ?? new Uint8Array()]),
      stdio: ['pipe', 'pipe', 'inherit', this.#file],
    });
    if (error !== undefined) throw error;
    if (status !== 0) throw new Error(`the ioctl program ended with ${status}`);
    const errno = stdout.readUInt32LE(0);
    if (errno !== 0) {
      const code = util.getSystemErrorName(-errno);
      throw Object.assign(new Error(`IOMMU_TEST_CMD ${operation}: ${code}`), { code, errno: -errno });
    }
    return new DataView(stdout.buffer, stdout.byteOffset + 4, structBytes);
  }

  /** @internal A question with two numbers, to which EINVAL means no. */
  holds(operation: number, id: number, first: number, second: number): boolean {
    try {
      this.test(operation, id, view => {
        view.setUint32(body, first, true);
        view.setUint32(body + 4, second, true);
      });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EINVAL') throw error;
      return false;
    }
  }

  close(): void {
    this.iommufd.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** A device that exists inside an iommufd only. */
export class MockDevice implements Disposable {
  /** For the functions of the library that take a device: it stands for the id, and can do nothing else. */
  readonly device: Device;
  #closed = false;

  constructor(
    readonly mock: MockIommu,
    readonly objectId: number,
    /** The page table that was made for it when it was attached to an address space. */
    readonly tableId: number,
    readonly id: number,
  ) {
    this.device = Object.create(Device.prototype, {
      address: { value: `mock device ${id}` },
      iommufd: { value: mock.iommufd },
      deviceId: { value: id },
      assertOpen: { value: () => undefined },
    }) as Device;
  }

  /** Attaches it to another page table, in place of the one before. */
  replace(target: PageTable): void {
    this.mock.test(op.domainReplace, this.objectId, view => view.setUint32(body, target.id, true));
  }

  /** Has it ask for a page. */
  fault({ pasid = 0, group, permissions, address }: MockFault): void {
    this.mock.test(op.triggerFault, 0, view => {
      [this.id, pasid, group, permissions].forEach((value, i) => view.setUint32(body + 4 * i, value, true));
      view.setBigUint64(body + 16, address, true);
    });
  }

  /** Has its IOMMU report something to the virtual machine. */
  event(): void {
    this.mock.test(op.triggerEvent, 0, view => view.setUint32(body, this.id, true));
  }

  /** Whether an entry of its own cache has that value. */
  hasCached(entry: number, value: number): boolean {
    return this.mock.holds(op.checkCache, this.id, entry, value);
  }

  attachPasid(pasid: number, target: PageTable): void {
    this.#pasid(op.pasidAttach, pasid, target);
  }

  replacePasid(pasid: number, target: PageTable): void {
    this.#pasid(op.pasidReplace, pasid, target);
  }

  detachPasid(pasid: number): void {
    this.mock.test(op.pasidDetach, this.objectId, view => view.setUint32(body, pasid, true));
  }

  /** Whether that page table is attached for a PASID; none, without one. */
  hasPasid(pasid: number, table?: HwPageTable): boolean {
    return this.mock.holds(op.pasidCheck, this.objectId, pasid, table?.id ?? 0);
  }

  #pasid(operation: number, pasid: number, target: PageTable): void {
    this.mock.test(operation, this.objectId, view => {
      view.setUint32(body, pasid, true);
      view.setUint32(body + 4, target.id, true);
    });
  }

  /** Detaches and removes it. */
  close(): void {
    if (this.#closed || this.mock.iommufd.closed) return;
    this.#closed = true;
    this.mock.iommufd.destroy('a mock device', this.objectId);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

export interface MockFault {
  pasid?: number;
  group: number;
  /** As in the kernel's struct: 1 read, 2 write, 4 execute, 8 privileged. */
  permissions: number;
  address: bigint;
}

function iommufds(): Set<number> {
  const open = fs.readdirSync('/proc/self/fd').filter(fd => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`) === Iommufd.path;
    } catch {
      return false;
    }
  });
  return new Set(open.map(Number));
}

let compiled: string | undefined;

function program(): string {
  if (compiled !== undefined) return compiled;
  const source = path.join(__dirname, '../../../../test/lab/support/ioctl.c');
  const target = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'vfio-test-')), 'ioctl');
  execFileSync('cc', ['-O1', '-Wall', '-Wextra', '-Werror', '-o', target, source]);
  return (compiled = target);
}
