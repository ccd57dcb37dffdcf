import type { Device } from './device';
import { attempt, isSystemError } from './errors/explain';
import { DmaBuf } from './features/dma-buf';
import { native } from './native';
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
  /** The region that holds the pixels, when asked for by region. */
  readonly regionIndex: number | undefined;
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

  /** The plane as it is now (`VFIO_DEVICE_QUERY_GFX_PLANE`). */
  plane(query: PlaneQuery): DisplayPlane {
    const { plane = 'primary', via } = checkOptions(query, 'query', ['plane', 'via']);
    const bit = viaFlag(via);
    const type = (planeTypes as Partial<Record<string, number>>)[plane];
    if (type === undefined) throw valueError('query.plane', "'primary' or 'cursor'", plane);
    const raw = attempt({ doing: `Asking for the ${plane} plane`, address: this.#device.address }, () =>
      native().queryGfxPlane(this.#device.handle, bit, type),
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
      regionIndex: via === 'region' ? raw.regionOrDmaBuf : undefined,
      dmaBufId: via === 'dma-buf' ? raw.regionOrDmaBuf : undefined,
    });
  }

  /** The pixels of a plane as a dma-buf (`VFIO_DEVICE_GET_GFX_DMABUF`). The caller closes it. */
  dmaBuf(id: number): DmaBuf {
    integer(id, 'id', 0, 0xffff_ffff);
    return new DmaBuf(
      attempt({ doing: 'Getting a plane as a dma-buf', address: this.#device.address }, () =>
        native().getGfxDmaBuf(this.#device.handle, id),
      ),
    );
  }
}

function viaFlag(via: unknown): number {
  if (via === 'dma-buf' || via === 'region') return flags[via];
  throw valueError('via', "'dma-buf' or 'region'", via);
}
