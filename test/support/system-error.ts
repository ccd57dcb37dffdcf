import { constants } from 'node:os';

export type Code = keyof typeof constants.errno;

/** The names that errors of the functions give to the system call. */
const syscalls: Partial<Record<string, string>> = {
  containerOpen: 'open',
  containerGetApiVersion: 'VFIO_GET_API_VERSION',
  containerSetIommu: 'VFIO_SET_IOMMU',
  groupOpen: 'open',
  groupGetStatus: 'VFIO_GROUP_GET_STATUS',
  groupSetContainer: 'VFIO_GROUP_SET_CONTAINER',
  groupGetDeviceFd: 'VFIO_GROUP_GET_DEVICE_FD',
  deviceGetInfo: 'VFIO_DEVICE_GET_INFO',
  deviceReset: 'VFIO_DEVICE_RESET',
  dmaMap: 'VFIO_IOMMU_MAP_DMA',
  dmaUnmap: 'VFIO_IOMMU_UNMAP_DMA',
  regionRead: 'pread',
  regionWrite: 'pwrite',
  barMap: 'mmap',
  irqSetEventFds: 'VFIO_DEVICE_SET_IRQS',
  ioEventFd: 'VFIO_DEVICE_IOEVENTFD',
};

/** An error as the native layer throws it. */
export function systemError(name: string, code: Code, path?: string): Error {
  const syscall = syscalls[name] ?? name;
  const details = { code, errno: -constants.errno[code], syscall, ...(path === undefined ? {} : { path }) };
  return Object.assign(new Error(`${code}: ${syscall}`), details);
}
