import { constants } from 'node:fs';
import type { Device } from '../device';
import { closedError, unsupportedError } from '../errors/vfio-error';
import { native } from '../native';
import type { FileHandle } from '../native-iommufd';
import { Region } from '../region';
import { instanceOf, integer, rangeError, typeError } from '../validate';

/** A dma-buf: memory, of a BAR or of a display plane, that is handed around as a file descriptor. */
export class DmaBuf implements Disposable {
  readonly #file: FileHandle;
  #closed = false;

  /** @internal */
  constructor(file: FileHandle) {
    this.#file = file;
  }

  /** Its file descriptor. It stays owned by this object. */
  get fd(): number {
    if (this.#closed) throw closedError('The dma-buf');
    return native().fileNumber(this.#file);
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Does nothing the second time. What was mapped from it stays. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    native().fileClose(this.#file);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

export function checkDmaBufRange(device: Device, region: Region, offset: number, length: number): void {
  instanceOf(region, Region, 'region');
  if (device.regions[region.index] !== region)
    throw typeError('region', 'a region of the same device', region);
  if (region.index > lastBar || region.size === 0 || region.ioPort)
    throw unsupportedError(`${region.name} of ${device.address} is no memory BAR`);
  const page = native().pageSize;
  integer(offset, 'offset', 0, region.size);
  integer(length, 'length', 1, region.size - offset);
  if (offset % page !== 0) throw rangeError('offset', `a multiple of the page size, ${page}`, offset);
  if (length % page !== 0) throw rangeError('length', `a multiple of the page size, ${page}`, length);
}

/** `VFIO_DEVICE_FEATURE_DMA_BUF`: the answer is the call's own result, a file descriptor. */
export function exportDmaBuf(
  get: (payload: Uint8Array) => number,
  region: Region,
  offset: number,
  length: number,
): DmaBuf {
  // struct vfio_device_feature_dma_buf: region_index, open_flags, flags, nr_ranges, then pairs of offset and length
  const payload = new DataView(new ArrayBuffer(32));
  payload.setUint32(0, region.index, true);
  payload.setUint32(4, constants.O_RDWR | O_CLOEXEC, true);
  payload.setUint32(12, 1, true);
  payload.setBigUint64(16, BigInt(offset), true);
  payload.setBigUint64(24, BigInt(length), true);
  return new DmaBuf(native().fileAdopt(get(new Uint8Array(payload.buffer))));
}

const lastBar = 5;
/** Not among Node's constants; the same on every architecture Node runs on. */
const O_CLOEXEC = 0o2000000;
