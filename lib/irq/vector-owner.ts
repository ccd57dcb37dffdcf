import type { DeviceHandle } from '../native';
import type { IrqInfo } from './irq-info';
import type { IrqVector } from './irq-vector';

/** What a vector needs of its device. */
export interface VectorDevice {
  readonly address: string;
  readonly handle: DeviceHandle;
  readonly closed: boolean;
  readonly busMastering: boolean;
}

/** What a vector needs from the interrupt kind that made it. */
export interface VectorOwner {
  readonly info: IrqInfo;
  /** Of a vector that was adopted: whether its own owner has closed it. */
  readonly over?: boolean;
  /** @internal Disarms it in the kernel. */
  release(vector: IrqVector): void;
}
