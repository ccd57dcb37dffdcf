/**
 * `vfio`: own a PCI device from Node.
 *
 * Start at {@link Device.open}. The classes below it, {@link Container} and {@link Group}, are for those who share an
 * address space between devices or need the order of things in their own hands.
 */
export { Device } from './device';
export type { OpenOptions } from './open';
export type { DeviceInfo } from './device-info';
export { Container, Extension, Iommu } from './container';
export type { ExtensionName, IommuType } from './container';
export type { IommuInfo, IovaRange } from './iommu-info';
export { Group } from './group';
export type { GroupDeviceOptions, GroupMember, GroupOptions, GroupStatus } from './group';
export { Iommufd } from './iommufd/iommufd';
export type { CdevOptions } from './iommufd/iommufd';
export { Ioas } from './iommufd/ioas';
export type { PageTable } from './iommufd/page-table';
export { Region, RegionIndex } from './region';
export type { MapRegionOptions } from './region';
export type { Area, RegionInfo } from './region-info';
export { Mapping } from './mapping';
export type { Registers } from './registers';
export { PciConfig } from './pci-config';
export type { PciCapability } from './pci-config';
export { IrqVector } from './irq/irq-vector';
export type { WaitOptions } from './irq/irq-vector';
export { MessageInterrupts } from './irq/message-interrupts';
export type { EnableOptions, VectorRange } from './irq/message-interrupts';
export { Intx } from './irq/intx';
export type { IntxOptions } from './irq/intx';
export { IrqIndex } from './irq/irq-info';
export type { IrqInfo } from './irq/irq-info';
export { EventFd } from './eventfd';
export { IoEventFd } from './ioeventfd';
export { Dma } from './dma/dma';
export type { ShareableMemory } from './dma/dma';
export { DmaBuffer } from './dma/dma-buffer';
export type { AllocOptions, MapOptions } from './dma/options';
export { parseAddress } from './pci/address';
export { findDevice, listDevices } from './pci/list';
export type { PciDevice } from './pci/list';
export { bindDevice, bindDeviceSync, Binding } from './pci/bind';
export type { BindOptions } from './pci/bind';
export { doctor } from './doctor';
export type { DoctorCheck, DoctorReport } from './doctor';
export { VfioError } from './errors/vfio-error';
export type { UnknownCapability } from './capability';
