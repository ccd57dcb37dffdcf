import * as fs from 'node:fs';
import { attemptStep } from '../errors/explain';
import { busyError, VfioError } from '../errors/vfio-error';
import { native, type RestoreHandle } from '../native';
import { pause, runAsync, runSync, type Steps } from '../steps';
import { options as checkOptions, string } from '../validate';
import { parseAddress } from './address';
import { isOpen, restoreOnExit } from './exit';
import { noDeviceError } from './list';
import { attribute, deviceExists, devicePath, driverOf, driverPath } from './sysfs';

/** Options of {@link bindDevice}. */
export interface BindOptions {
  /** The driver to bind to. Default `'vfio-pci'`; a variant driver of it works too. */
  driver?: string;
}

/**
 * A device that was moved to another driver, and the way back.
 *
 * Until {@link Binding.restore} it stays there. It is also given back when the process exits for whatever reason that
 * leaves it a moment (end, `process.exit`, an uncaught exception, SIGINT, SIGTERM, SIGHUP) and when the worker that
 * bound it terminates; not after SIGKILL.
 */
export class Binding implements Disposable, AsyncDisposable {
  #handle: RestoreHandle | undefined;

  /** @internal */
  constructor(
    /** The device's PCI address. */
    readonly address: string,
    /** The driver it was bound to. */
    readonly driver: string,
    /** The driver it had before and gets back; `undefined`: none. */
    readonly previousDriver: string | undefined,
    handle: RestoreHandle | undefined,
  ) {
    this.#handle = handle;
    if (handle !== undefined) restoreOnExit(this);
  }

  /**
   * Gives the device back to the driver it had. Close it first: the kernel waits for its user, where no signal reaches the
   * one who waits. Does nothing the second time.
   *
   * @throws VfioError `ERR_VFIO_BUSY` when the device is open in this environment, `ERR_VFIO_NOT_BOUND` when the old driver
   *   does not take it back
   */
  restore(): Promise<void> {
    return runAsync(this.#restore());
  }

  /** {@link Binding.restore}, blocking. */
  restoreSync(): void {
    runSync(this.#restore());
  }

  *#restore(): Steps<void> {
    const handle = this.#handle;
    if (handle === undefined) return;
    if (isOpen(this.address)) {
      throw busyError(
        `${this.address} is open and cannot be given back to ${this.previousDriver ?? 'no driver'}`,
        'close the Device first',
      );
    }
    this.#handle = undefined;
    restoreOnExit.done(this);
    const doing = `Giving ${this.address} back to ${this.previousDriver ?? 'no driver'}`;
    const results = yield* attemptStep({ doing, address: this.address }, async =>
      native().restoreRun(handle, async),
    );
    if (driverOf(this.address) === this.previousDriver || !deviceExists(this.address)) return;
    throw new VfioError(`${doing} failed: it is on ${driverOf(this.address) ?? 'no driver'} now`, {
      code: 'ERR_VFIO_NOT_BOUND',
      address: this.address,
      likelyCause: `the sysfs writes answered ${results.join(', ')} (0 is success)`,
    });
  }

  [Symbol.dispose](): void {
    this.restoreSync();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.restore();
  }
}

/**
 * Moves a device to vfio-pci (or another driver), the reversible way: `driver_override`, unbind, probe. Needs write
 * access to sysfs, so usually root. Every member of an IOMMU group must leave its kernel driver before the group can be
 * used.
 *
 * @throws VfioError `ERR_VFIO_NO_DEVICE`, `ERR_VFIO_NOT_BOUND` when the driver does not take the device within a second,
 *   or the code of the failed sysfs write; the device is then back where it was
 */
export async function bindDevice(address: string, options?: BindOptions): Promise<Binding> {
  return runAsync(bindSteps(address, options));
}

/** {@link bindDevice}, blocking. */
export function bindDeviceSync(address: string, options?: BindOptions): Binding {
  return runSync(bindSteps(address, options));
}

export function* bindSteps(where: string, options?: BindOptions): Steps<Binding> {
  const address = parseAddress(where);
  const { driver = 'vfio-pci' } = checkOptions(options, 'options', ['driver']);
  string(driver, 'options.driver');
  if (!/^[\w-]+$/.test(driver)) {
    throw Object.assign(new TypeError(`options.driver must be a driver's name; got '${driver}'`), {
      code: 'ERR_INVALID_ARG_VALUE',
    });
  }
  if (!deviceExists(address)) throw noDeviceError(address);
  const previous = driverOf(address);
  if (previous === driver) return new Binding(address, driver, previous, undefined);
  if (!fs.existsSync(driverPath(driver))) {
    throw new VfioError(`Cannot bind ${address}: the kernel has no PCI driver ${driver} now`, {
      code: 'ERR_VFIO_NOT_BOUND',
      address,
      cure: `load it: modprobe ${driver}`,
    });
  }
  const override = `${devicePath(address)}/driver_override`;
  const previousOverride = attribute(address, 'driver_override');
  const handle = native().restoreCreate([
    [override, previousOverride === undefined || previousOverride === '(null)' ? '\n' : previousOverride],
    [`${driverPath(driver)}/unbind`, address],
    ...(previous === undefined ? [] : [[`${driverPath(previous)}/bind`, address] as [string, string]]),
  ]);
  const binding = new Binding(address, driver, previous, handle);
  try {
    const doing = `Binding ${address} to ${driver}`;
    yield* write(override, driver, doing, address);
    if (previous !== undefined) yield* write(`${driverPath(previous)}/unbind`, address, doing, address);
    yield* write('/sys/bus/pci/drivers_probe', address, doing, address);
    if (!(yield* taken(address, driver))) {
      throw new VfioError(`${doing} failed: the driver did not take it`, {
        code: 'ERR_VFIO_NOT_BOUND',
        address,
        likelyCause: 'the kernel log says why',
      });
    }
  } catch (error) {
    try {
      binding.restoreSync();
    } catch (undoing) {
      throw new AggregateError([error, undoing], `${(error as Error).message} And undoing it failed too`, {
        cause: undoing,
      });
    }
    throw error;
  }
  return binding;
}

/** How long the kernel may take to give a device to the driver that it was told, in milliseconds. */
const takingMs = 1000;

/**
 * Whether the driver has the device. One that was plugged in a moment ago can be seen before the kernel has given it its
 * resources; until then no driver matches it, and to probe it does nothing and succeeds. When the kernel gets there, it
 * gives the device to whom `driver_override` names by itself.
 */
function* taken(address: string, driver: string): Steps<boolean> {
  const deadline = performance.now() + takingMs;
  while (driverOf(address) !== driver) {
    if (performance.now() > deadline || !deviceExists(address)) return false;
    yield* pause(10);
  }
  return true;
}

function* write(path: string, data: string, doing: string, address: string): Steps<void> {
  yield* attemptStep({ doing, address, path }, async =>
    async ? fs.promises.writeFile(path, data) : fs.writeFileSync(path, data),
  );
}
