import type { Device } from '../device';
import { closedError, VfioError } from '../errors/vfio-error';
import { native } from '../native';
import { string, valueError } from '../validate';
import { StructReader } from '../capability';
import { Feature, type Features } from './features';
import { MigrationStream } from './migration-stream';

/** The states of a device that is migrated (`enum vfio_device_mig_state`), in the kernel's order. */
export const migrationStates = [
  'error',
  'stop',
  'running',
  'stop-copy',
  'resuming',
  'running-p2p',
  'pre-copy',
  'pre-copy-p2p',
] as const;
export type MigrationState = (typeof migrationStates)[number];

/** What a device offers for its migration (`VFIO_DEVICE_FEATURE_MIGRATION`). */
export interface MigrationFlags {
  /** Its state can be saved and restored; always. */
  readonly stopCopy: boolean;
  /** It can stop its own DMA to other devices before it stops altogether. */
  readonly p2p: boolean;
  /** Its state can be saved in part while it runs. */
  readonly preCopy: boolean;
}

const flags = { stopCopy: 1n, p2p: 2n, preCopy: 4n } as const;

/**
 * Saving the state of a device and restoring it into another (the v2 protocol, kernel 5.18): a state machine that the
 * user drives, and streams of bytes that only the driver understands.
 *
 * Saving: `running` → `stop` → `stop-copy`, read the stream to its end, `stop`. Restoring, on the other side:
 * `running` → `stop` → `resuming`, write the stream, `stop` → `running`. The kernel walks through the states in between.
 */
export class Migration {
  readonly #device: Device;
  readonly #features: Features;

  /** @internal */
  constructor(device: Device, features: Features) {
    this.#device = device;
    this.#features = features;
  }

  get flags(): MigrationFlags {
    const bits = new StructReader(this.#features.get(Feature.Migration, new Uint8Array(8))).u64(0);
    const has = (flag: bigint): boolean => (bits & flag) !== 0n;
    return Object.freeze({ stopCopy: has(flags.stopCopy), p2p: has(flags.p2p), preCopy: has(flags.preCopy) });
  }

  /** The state it is in (`VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE`). */
  get state(): MigrationState {
    const answer = this.#features.get(Feature.MigrationDeviceState, new Uint8Array(8));
    return migrationStates[new StructReader(answer).u32(0)] ?? 'error';
  }

  /**
   * Brings the device into another state, by whatever states lie between. It may take as long as the device needs.
   *
   * @returns the stream to read from (in `stop-copy` and `pre-copy`) or to write to (in `resuming`); the caller closes it.
   *   From `pre-copy` to `stop-copy` there is none: what is left comes by the stream of `pre-copy`
   * @throws VfioError when the device cannot; it is then in the old state, in one between, or in `error`, which only a
   *   reset ends
   */
  async setState(state: MigrationState): Promise<MigrationStream | undefined> {
    const number = migrationStates.indexOf(string(state, 'state') as MigrationState);
    if (number < 0) throw valueError('state', `one of ${migrationStates.join(', ')}`, state);
    if (this.#device.closed) throw closedError(`Device ${this.#device.address}`);
    // struct vfio_device_feature_mig_state: device_state, data_fd (-1: none)
    const payload = new Uint8Array(Int32Array.of(number, -1).buffer);
    const answer = await this.#features
      .setAsync(Feature.MigrationDeviceState, payload)
      .catch((error: unknown) => this.#refused(state, error));
    const fd = new StructReader(answer).u32(4) | 0;
    return fd < 0 ? undefined : new MigrationStream(native().fileAdopt(fd));
  }

  #refused(state: MigrationState, error: unknown): never {
    if (!(error instanceof VfioError) || error.code !== 'EINVAL') throw error;
    const now = this.state;
    throw new VfioError(`${this.#device.address} did not get into state '${state}': it is in '${now}'`, {
      code: error.code,
      errno: error.errno,
      syscall: error.syscall,
      address: this.#device.address,
      likelyCause:
        now === 'resuming'
          ? 'what was written to its stream is no whole state of such a device'
          : 'no way leads there from the state it was in',
      cause: error,
    });
  }

  /** How many bytes saving the state will take (`VFIO_DEVICE_FEATURE_MIG_DATA_SIZE`, kernel 6.2), an estimate. */
  dataSize(): bigint {
    return new StructReader(this.#features.get(Feature.MigrationDataSize, new Uint8Array(8))).u64(0);
  }

  /**
   * Lets the device say during pre-copy that it has new initial data (`MIG_PRECOPY_INFOv2`, kernel 7.1): see
   * {@link MigrationStream.precopyInfo}.
   */
  enablePrecopyInfoV2(): void {
    this.#features.set(Feature.MigrationPrecopyInfoV2, new Uint8Array(0));
  }
}
