/**
 * What a virtio network device on PCI shows of itself: its structures' registers, its status, its features.
 *
 * Section numbers, here and in the other files, are those of "Virtual I/O Device (VIRTIO) Version 1.2" (OASIS, July 2022).
 * The structures lie where capabilities in config space say (transport.ts), so a map is made for where one starts. Nothing in
 * this file has behaviour.
 */
import { bit, defineRegisters } from 'vfio/kit';

/** "Red Hat", the vendor of all virtio devices (4.1.2). */
export const VIRTIO_VENDOR = 0x1af4;
/** 0x1040 and the number of the device type, of which 1 is a network device (5.1.1). */
export const NET_DEVICE = 0x1041;
/** The same for a device that also speaks the protocol of before 1.0; it has the modern structures, too. */
export const TRANSITIONAL_NET_DEVICE = 0x1000;

/** What a virtio capability in config space points to (4.1.4). */
export const Structure = { COMMON: 1, NOTIFY: 2, ISR: 3, DEVICE: 4 } as const;

/** The common configuration structure (4.1.4.3). Each access has the width of its field (4.1.3.1). */
export const commonRegisters = (base: number) =>
  defineRegisters({
    /** Which 32 of the features the next two are about. */
    DEVICE_FEATURE_SELECT: { offset: base + 0x00, access: 'rw' },
    DEVICE_FEATURE: { offset: base + 0x04, access: 'ro' },
    DRIVER_FEATURE_SELECT: { offset: base + 0x08, access: 'rw' },
    DRIVER_FEATURE: { offset: base + 0x0c, access: 'rw' },
    /** The MSI-X vector for changes of the configuration; reads as {@link NO_VECTOR} when the device cannot. */
    CONFIG_MSIX_VECTOR: { offset: base + 0x10, access: 'rw', width: 16 },
    NUM_QUEUES: { offset: base + 0x12, access: 'ro', width: 16 },
    DEVICE_STATUS: {
      offset: base + 0x14,
      access: 'rw',
      width: 8,
      fields: {
        ACKNOWLEDGE: bit(0),
        DRIVER: bit(1),
        DRIVER_OK: bit(2),
        FEATURES_OK: bit(3),
        NEEDS_RESET: bit(6),
        FAILED: bit(7),
      },
    },
    /** Changes whenever the device-specific configuration does. */
    CONFIG_GENERATION: { offset: base + 0x15, access: 'ro', width: 8 },
    /** Which queue those below are about. */
    QUEUE_SELECT: { offset: base + 0x16, access: 'rw', width: 16 },
    /** At first the most descriptors it can have. */
    QUEUE_SIZE: { offset: base + 0x18, access: 'rw', width: 16 },
    QUEUE_MSIX_VECTOR: { offset: base + 0x1a, access: 'rw', width: 16 },
    QUEUE_ENABLE: { offset: base + 0x1c, access: 'rw', width: 16 },
    QUEUE_NOTIFY_OFF: { offset: base + 0x1e, access: 'ro', width: 16 },
    /** 64-bit addresses, to be written as two halves (4.1.3.1): index 0 is the lower one. */
    QUEUE_DESC: { offset: base + 0x20, access: 'rw', count: 2 },
    QUEUE_DRIVER: { offset: base + 0x28, access: 'rw', count: 2 },
    QUEUE_DEVICE: { offset: base + 0x30, access: 'rw', count: 2 },
  });
export type CommonRegisters = ReturnType<ReturnType<typeof commonRegisters>['over']>;

/** The configuration of a network device (5.1.4). All but the address is there only with its feature. */
export const netRegisters = (base: number) =>
  defineRegisters({
    MAC: { offset: base + 0x00, access: 'ro', width: 8, count: 6 },
    STATUS: { offset: base + 0x06, access: 'ro', width: 16, fields: { LINK_UP: bit(0), ANNOUNCE: bit(1) } },
  });
export type NetRegisters = ReturnType<ReturnType<typeof netRegisters>['over']>;

/** What follows with the feature {@link Feature.SPEED_DUPLEX}. */
export const speedRegisters = (base: number) =>
  defineRegisters({
    /** Megabits per second; a negative number says that nobody knows. */
    SPEED: { offset: base + 0x0c, access: 'ro' },
    /** 0 half, 1 full, anything else unknown. */
    DUPLEX: { offset: base + 0x10, access: 'ro', width: 8 },
  });
export type SpeedRegisters = ReturnType<ReturnType<typeof speedRegisters>['over']>;

/** What a vector register says when there is none (4.1.5.1.2). */
export const NO_VECTOR = 0xffff;

/** Features that this driver knows, by their bit numbers: those of network devices (5.1.3), then those of all (6). */
export const Feature = {
  /** The device has an address of its own. */
  MAC: 5,
  /** STATUS tells of the link. */
  STATUS: 16,
  SPEED_DUPLEX: 63,
  /** Events are asked for by their place in the ring (2.7.7, 2.8.10), so each is asked for once. */
  EVENT_IDX: 29,
  /** The device follows version 1.0 or later. */
  VERSION_1: 32,
  /** Addresses are those of the platform's IOMMU, not physical ones. */
  ACCESS_PLATFORM: 33,
  /** Queues have the packed layout (2.8). */
  RING_PACKED: 34,
} as const;

/** The queues of a device without VIRTIO_NET_F_MQ (5.1.2). */
export const QueueIndex = { RECEIVE: 0, TRANSMIT: 1 } as const;

/** The header in front of each frame (5.1.6): flags, offloads, and how many buffers it is spread over. */
export const NET_HEADER_BYTES = 12;
