/** The part of sysfs that tells of PCI devices and moves them between drivers, for the fake kernel. */
import fs from 'node:fs';
import { constants } from 'node:os';
import { native } from '../../lib/native.js';
import { type Code } from './system-error.js';

interface Device {
  driver: string | undefined;
  group: number | undefined;
  override: string;
}

const devicesPath = '/sys/bus/pci/devices';
const driversPath = '/sys/bus/pci/drivers';
const patched = ['existsSync', 'readFileSync', 'readdirSync', 'readlinkSync', 'writeFileSync'] as const;

export class FakeSysfs implements Disposable {
  readonly devices = new Map<string, Device>();
  /** Drivers the kernel has, and which devices they take. */
  readonly drivers = new Map<string, (address: string) => boolean>([['vfio-pci', () => true]]);
  /** Every write: the file below /sys/bus/pci and what was written. */
  readonly writes: string[] = [];
  /** Files whose next write fails. */
  readonly failures = new Map<string, Code>();
  readonly #real = Object.fromEntries(patched.map(name => [name, fs[name]]));
  readonly #realWrite = fs.promises.writeFile.bind(fs.promises);
  readonly #restore: object;

  constructor() {
    const real = this.#real as unknown as Record<string, (...args: unknown[]) => unknown>;
    for (const name of patched) {
      const fake = (...args: unknown[]): unknown => {
        const [path] = args;
        const ours =
          typeof path === 'string' &&
          (path.startsWith('/sys/bus/pci/') || path.startsWith('/sys/kernel/iommu_groups/'));
        return ours ? this.#answer(name, path, args[1] as string) : real[name]?.(...args);
      };
      Object.assign(fs, { [name]: fake });
    }
    Object.assign(fs.promises, {
      writeFile: async (path: string, data: string) => {
        await Promise.resolve();
        this.write(path, data);
      },
    });
    const addon = native() as unknown as Record<string, unknown>;
    this.#restore = { restoreCreate: addon['restoreCreate'], restoreRun: addon['restoreRun'] };
    native().restoreCreate = writes => ({ writes }) as never;
    native().restoreRun = (handle, async) => {
      const { writes } = handle as unknown as { writes: [string, string][] };
      const results = writes.map(([path, data]) => this.#tryWrite(path, data));
      return async ? Promise.resolve(results) : results;
    };
  }

  [Symbol.dispose](): void {
    Object.assign(fs, this.#real);
    fs.promises.writeFile = this.#realWrite;
    Object.assign(native(), this.#restore);
  }

  add(address: string, driver: string | undefined, group: number | undefined): void {
    this.devices.set(address, { driver, group, override: '(null)' });
    if (driver !== undefined && !this.drivers.has(driver)) this.drivers.set(driver, () => true);
  }

  /** Which driver each device is on. */
  bindings(): Record<string, string | undefined> {
    return Object.fromEntries([...this.devices].map(([address, { driver }]) => [address, driver]));
  }

  write(path: string, data: string): void {
    const file = path.replace('/sys/bus/pci/', '');
    this.writes.push(`${file} ${data.trim()}`);
    const failure = this.failures.get(file);
    this.failures.delete(file);
    if (failure !== undefined) throw this.#error(failure, 'write', path);
    const [kind, name = '', action] = file.split('/');
    if (kind === 'drivers_probe') this.#probe(data);
    else if (kind === 'devices' && action === 'driver_override')
      this.#device(name, path).override = data.trim();
    else if (action === 'unbind') this.#device(data, path).driver = undefined;
    else if (action === 'bind') this.#device(data, path).driver = name;
  }

  #tryWrite(path: string, data: string): number {
    try {
      this.write(path, data);
      return 0;
    } catch (error) {
      return -((error as NodeJS.ErrnoException).errno ?? 0);
    }
  }

  #probe(address: string): void {
    const device = this.#device(address, 'drivers_probe');
    if (device.driver === undefined && this.drivers.get(device.override)?.(address) === true)
      device.driver = device.override;
  }

  #answer(name: (typeof patched)[number], path: string, data: string): unknown {
    if (name === 'existsSync') return this.#exists(path);
    if (name === 'writeFileSync') {
      this.write(path, data);
      return undefined;
    }
    if (name === 'readdirSync') {
      if (path === devicesPath) return [...this.devices.keys()];
      const group = Number(/iommu_groups\/(\d+)\/devices/.exec(path)?.[1]);
      return [...this.devices].filter(([, device]) => device.group === group).map(([address]) => address);
    }
    const [address = '', attribute] = path.slice(devicesPath.length + 1).split('/');
    const device = this.#device(address, path);
    const link =
      attribute === 'driver' ? device.driver : attribute === 'iommu_group' ? device.group : undefined;
    if (name === 'readlinkSync') {
      if (link === undefined) throw this.#error('ENOENT', 'readlink', path);
      return `../../${link}`;
    }
    return attribute === 'driver_override' ? device.override : '0x8086\n';
  }

  #exists(path: string): boolean {
    if (path.startsWith(driversPath)) return this.drivers.has(path.slice(driversPath.length + 1));
    return this.devices.has(path.slice(devicesPath.length + 1));
  }

  #device(address: string, path: string): Device {
    const device = this.devices.get(address);
    if (device === undefined) throw this.#error('ENODEV', 'open', path);
    return device;
  }

  #error(code: Code, syscall: string, path: string): Error {
    const details = { code, errno: -constants.errno[code], syscall, path };
    return Object.assign(new Error(`${code}: ${syscall} '${path}'`), details);
  }
}
