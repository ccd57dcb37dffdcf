import { StructReader } from '../capability';
import type { IovaRange } from '../iommu-info';
import { native } from '../native';
import { pageBitmap } from '../page-bitmap';
import { iovaRanges } from '../iova-ranges';
import { address64, integer, powerOfTwo } from '../validate';
import { Feature, type Features } from './features';

/** A device's own account of the pages it writes (kernel 6.1), for live migration. */
export class DmaLogging {
  readonly #features: Features;

  /** @internal */
  constructor(features: Features) {
    this.#features = features;
  }

  /**
   * Starts logging (`DMA_LOGGING_START`).
   *
   * @param ranges which IOVAs, inclusive and in whole pages; 1 to 256 that do not overlap
   * @param pageSize bytes a bit should stand for. Default 4,096
   * @returns the page size the device really uses
   * @throws VfioError `EINVAL` for overlapping ranges or parts of pages, `E2BIG` for too many
   */
  start(ranges: readonly IovaRange[], pageSize = 4096): number {
    powerOfTwo(pageSize, 'pageSize', 1, 2 ** 40);
    const checked = iovaRanges(ranges, 1);
    const pairs = BigUint64Array.from(checked.flatMap(({ start, last }) => [start, last - start + 1n]));
    // struct vfio_device_feature_dma_logging_control: page_size, num_ranges, reserved, pointer to the ranges
    return withAddress(pairs, address => {
      const payload = BigUint64Array.of(BigInt(pageSize), BigInt(checked.length), address);
      const answer = this.#features.exchange(Feature.DmaLoggingStart, new Uint8Array(payload.buffer));
      return Number(new StructReader(answer).u64(0));
    });
  }

  /** Ends it (`DMA_LOGGING_STOP`). */
  stop(): void {
    this.#features.set(Feature.DmaLoggingStop, new Uint8Array(0));
  }

  /**
   * The pages written since the last report (`DMA_LOGGING_REPORT`), one bit a page, lowest first.
   *
   * @param length bytes
   * @param pageSize bytes a bit stands for, 4,096 or more. Default 4,096
   */
  report(iova: bigint, length: number, pageSize = 4096): BigUint64Array {
    powerOfTwo(pageSize, 'pageSize', 1, 2 ** 40);
    const start = address64(iova, 'iova');
    integer(length, 'length', 1, 2 ** 46);
    const bitmap = pageBitmap(length, pageSize);
    // struct vfio_device_feature_dma_logging_report: iova, length, page_size, pointer to the bitmap
    withAddress(bitmap, address => {
      this.#features.read(
        Feature.DmaLoggingReport,
        new Uint8Array(BigUint64Array.of(start, BigInt(length), BigInt(pageSize), address).buffer),
      );
    });
    return bitmap;
  }
}

/** The address of an array for the time of a call: structs of this feature point to their data. */
function withAddress<T>(array: BigUint64Array, use: (address: bigint) => T): T {
  const memory = native().memoryFromView(new Uint8Array(array.buffer, array.byteOffset, array.byteLength));
  try {
    return use(native().memoryAddress(memory));
  } finally {
    native().memoryFree(memory);
  }
}
