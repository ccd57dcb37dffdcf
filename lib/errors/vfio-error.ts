/** What is known about a failure beyond its message. */
export interface VfioErrorDetails {
  code: string;
  errno?: number | undefined;
  syscall?: string | undefined;
  path?: string | undefined;
  address?: string | undefined;
  likelyCause?: string | undefined;
  cure?: string | undefined;
  cause?: unknown;
}

/**
 * A failure of VFIO, of the kernel or of the device's state. Bad arguments are not this: they throw `TypeError` or
 * `RangeError`.
 *
 * Where the kernel only answers with an errno, the library looks at the machine at that moment (sysfs, limits,
 * permissions) and says what most likely stood in the way and what to do about it. The message holds all of it.
 *
 * Codes of the library's own:
 * - `ERR_VFIO_CLOSED`: the object, or what it belongs to, was closed
 * - `ERR_VFIO_NO_DEVICE`: no such PCI device
 * - `ERR_VFIO_NO_IOMMU`: the device belongs to no IOMMU group, or the container has no IOMMU set yet
 * - `ERR_VFIO_NOT_BOUND`: the device is still on another driver than vfio-pci
 * - `ERR_VFIO_NOT_VIABLE`: another member of its group is on a kernel driver
 * - `ERR_VFIO_BUSY`: something else of this process stands in the way (a pending call, another interrupt kind, …)
 * - `ERR_VFIO_UNSUPPORTED`: this device or this kernel does not have it
 * - `ERR_VFIO_NO_IOVA`: no free I/O virtual address range fits
 * - `ERR_VFIO_TIMEOUT`: a wait ran out
 * - `ERR_VFIO_NOT_SHARED`: what a thread wants to adopt was never shared, or is not there any more
 * - `ERR_VFIO_NOT_BUILT`: the native part is missing, or for another machine
 * - `ERR_VFIO_DEVICE_ERROR`: the device reported an uncorrectable PCI error
 *
 * Everything else carries the kernel's code (`EBUSY`, `EPERM`, …); `EPROTO` also stands for an answer of the kernel that
 * contradicts itself.
 */
export class VfioError extends Error {
  override readonly name = 'VfioError';
  /** `'EBUSY'`, or one of the codes above. */
  readonly code: string;
  /** The kernel's number, negative as in Node's own errors; absent where no system call failed. */
  readonly errno: number | undefined;
  /** The system call, for an ioctl its name in the kernel's uAPI: `'VFIO_GROUP_SET_CONTAINER'`. */
  readonly syscall: string | undefined;
  /** The device node or sysfs file it was about. */
  readonly path: string | undefined;
  /** The PCI address it was about. */
  readonly address: string | undefined;
  /** Why it most likely failed, read from the machine when it did. */
  readonly likelyCause: string | undefined;
  /** What to do about it. */
  readonly cure: string | undefined;

  constructor(what: string, details: VfioErrorDetails) {
    const { likelyCause, cure } = details;
    const parts = [what];
    if (likelyCause !== undefined) parts.push(`Likely cause: ${likelyCause}`);
    if (cure !== undefined) parts.push(`Try: ${cure}`);
    super(parts.join('. '), 'cause' in details ? { cause: details.cause } : {});
    this.code = details.code;
    this.errno = details.errno;
    this.syscall = details.syscall;
    this.path = details.path;
    this.address = details.address;
    this.likelyCause = likelyCause;
    this.cure = cure;
  }
}

export function closedError(what: string): VfioError {
  return new VfioError(`${what} is closed`, { code: 'ERR_VFIO_CLOSED' });
}

export function unsupportedError(what: string, cure?: string): VfioError {
  return new VfioError(what, { code: 'ERR_VFIO_UNSUPPORTED', cure });
}

export function busyError(what: string, cure: string): VfioError {
  return new VfioError(what, { code: 'ERR_VFIO_BUSY', cure });
}
