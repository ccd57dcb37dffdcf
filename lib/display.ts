import type { Device } from './device';
import { uncountedRegion } from './enumerate';
import { attempt, isSystemError } from './errors/explain';
import { unsupportedError, VfioError } from './errors/vfio-error';
import { DmaBuf } from './features/dma-buf';
import { type DeviceHandle, native } from './native';
import type { Region } from './region';
import { integer, options as checkOptions, valueError } from './validate';

/** A plane of a device's display (`struct vfio_device_gfx_plane_info`, kernel 4.16). */
export interface DisplayPlane {
  /** `DRM_FORMAT_*`: four characters as a number; 0 while nothing is shown. */
  readonly format: number;
  readonly formatModifier: bigint;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** Bytes from one line to the next. */
  readonly stride: number;
  /** Bytes of the whole. */
  readonly size: number;
  /** Where it is on the screen: pixels. */
  readonly x: number;
  readonly y: number;
  /** The pointer's hot spot, for a cursor plane. */
  readonly hotX: number;
  readonly hotY: number;
  /** The region that holds the pixels, from its start, when asked for by region: not always one of `device.regions`. */
  readonly region: Region | undefined;
  /** What {@link Display.dmaBuf} takes, when asked for by dma-buf. */
  readonly dmaBufId: number | undefined;
}

/** Which plane, and how its pixels shall be reached. */
export interface PlaneQuery {
  plane?: 'primary' | 'cursor';
  via: 'dma-buf' | 'region';
}

const flags = { probe: 1, 'dma-buf': 2, region: 4 } as const;
/** `DRM_PLANE_TYPE_*` */
const planeTypes = { primary: 1, cursor: 2 } as const;

/** What a virtual graphics device shows, for whoever draws its window (kernel 4.16). */
export class Display {
  readonly #device: Device;

  /** @internal */
  constructor(device: Device) {
    this.#device = device;
  }

  /** Whether the device has a display that is reached that way. */
  supports(via: PlaneQuery['via']): boolean {
    const bit = viaFlag(via);
    const { handle } = this.#device;
    try {
      native().queryGfxPlane(handle, flags.probe | bit, planeTypes.primary);
      return true;
    } catch (error) {
      if (isSystemError(error)) return false;
      throw error;
    }
  }

  /**
   * The plane as it is now (`VFIO_DEVICE_QUERY_GFX_PLANE`). What is not shown has the format 0.
   *
   * @throws VfioError `ERR_VFIO_UNSUPPORTED` when the device has no display that is reached that way
   */
  plane(query: PlaneQuery): DisplayPlane {
    const { plane = 'primary', via } = checkOptions(query, 'query', ['plane', 'via']);
    const bit = viaFlag(via);
    const type = planeType(plane);
    const raw = this.#attempt(`Asking for the ${plane} plane`, via, handle =>
      native().queryGfxPlane(handle, bit, type),
    );
    return Object.freeze({
      format: raw.drmFormat,
      formatModifier: raw.drmFormatModifier,
      width: raw.width,
      height: raw.height,
      stride: raw.stride,
      size: raw.size,
      x: raw.x,
      y: raw.y,
      hotX: raw.hotX,
      hotY: raw.hotY,
      region: via === 'region' ? this.#region(raw.regionOrDmaBuf) : undefined,
      dmaBufId: via === 'dma-buf' ? raw.regionOrDmaBuf : undefined,
    });
  }

  #region(index: number): Region {
    return this.#device.regions[index] ?? uncountedRegion(this.#device, index);
  }

  /**
   * The pixels of a plane as a dma-buf (`VFIO_DEVICE_GET_GFX_DMABUF`). The caller closes it.
   *
   * @param id from {@link DisplayPlane.dmaBufId}
   */
  dmaBuf(id: number): DmaBuf {
    integer(id, 'id', 0, 0xffff_ffff);
    const file = this.#attempt('Getting a plane as a dma-buf', 'dma-buf', handle =>
      native().getGfxDmaBuf(handle, id),
    );
    return new DmaBuf(file);
  }

  #attempt<T>(doing: string, via: PlaneQuery['via'], work: (handle: DeviceHandle) => T): T {
    const { address, handle } = this.#device;
    try {
      return attempt({ doing: `${doing} of ${address}`, address }, () => work(handle));
    } catch (error) {
      if (error instanceof VfioError && !this.supports(via))
        throw unsupportedError(`${address} has no display that is reached by ${via}`);
      throw error;
    }
  }
}

function planeType(plane: unknown): number {
  if (plane === 'primary' || plane === 'cursor') return planeTypes[plane];
  throw valueError('query.plane', "'primary' or 'cursor'", plane);
}

function viaFlag(via: unknown): number {
  if (via === 'dma-buf' || via === 'region') return flags[via];
  throw valueError('via', "'dma-buf' or 'region'", via);
}
