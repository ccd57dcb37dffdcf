import assert from 'node:assert/strict';
import { type Device, findDevice, IrqIndex } from 'vfio';
import { devices } from '../../../lab/devices';
import { kernelHas } from '../../../lab/kernel-features';
import { covers } from '../../support/covers';
import { opened } from '../support/bound';
import { labSuite } from '../support/suite';

interface Known {
  ids: [vendor: number, device: number, classCode: number];
  /** Bytes of BAR0 to BAR5, then ROM and config space. */
  sizes: number[];
  mappable: number[];
  ioPorts: number[];
  msixMappable: number[];
  /** Vectors of INTx, MSI, MSI-X, ERR and REQ. */
  vectors: number[];
}

/** Errors are reported by the root port, and so for PCI Express only until 7.3. */
const errors = kernelHas('errorsOfAnyPci') ? 1 : 0;

const known: Record<'nicA' | 'nvme' | 'edu' | 'testdev', Known> = {
  nicA: {
    ids: [0x8086, 0x10d3, 0x020000],
    sizes: [0x20000, 0x20000, 0x20, 0x4000, 0, 0, 0x40000, 4096],
    mappable: [0, 1, 3],
    ioPorts: [2],
    msixMappable: [3],
    vectors: [1, 1, 5, 1, 1],
  },
  nvme: {
    ids: [0x1b36, 0x0010, 0x010802],
    sizes: [0x4000, 0, 0, 0, 0, 0, 0, 4096],
    mappable: [0],
    ioPorts: [],
    msixMappable: [0],
    vectors: [1, 0, 65, 1, 1],
  },
  edu: {
    ids: [0x1234, 0x11e8, 0x00ff00],
    sizes: [0x100000, 0, 0, 0, 0, 0, 0, 256],
    mappable: [0],
    ioPorts: [],
    msixMappable: [],
    vectors: [1, 1, 0, errors, 1],
  },
  testdev: {
    ids: [0x1b36, 0x0005, 0x00ff00],
    sizes: [4096, 256, 0, 0, 0, 0, 0, 256],
    mappable: [0],
    ioPorts: [1],
    msixMappable: [],
    vectors: [0, 0, 0, errors, 1],
  },
};

const names = ['BAR0', 'BAR1', 'BAR2', 'BAR3', 'BAR4', 'BAR5', 'ROM', 'config'];

function indexes(device: Device, is: (index: number) => boolean): number[] {
  return device.regions.map((_, index) => index).filter(is);
}

for (const [name, expected] of Object.entries(known)) {
  const address = devices[name as keyof typeof known];
  labSuite(`what is known of ${name}`, () => {
    const card = opened(address);

    it('identifies it in config space as sysfs does', () => {
      const { config } = card.device;
      assert.deepEqual([config.vendorId, config.deviceId, config.classCode], expected.ids);
      const listed = findDevice(address);
      assert.deepEqual([listed.vendorId, listed.deviceId, listed.classCode], expected.ids);
      assert.deepEqual(
        [config.subsystemVendorId, config.subsystemId, config.revision],
        [listed.subsystemVendorId, listed.subsystemDeviceId, listed.revision],
      );
    });

    it('is a PCI device that can be reset', () => {
      const { info, irqs, regions } = card.device;
      assert.deepEqual([info.pci, info.platform, info.reset], [true, false, true]);
      assert.deepEqual([info.regionCount, info.irqCount], [regions.length, irqs.length]);
      assert.deepEqual(info.capabilities, []);
      covers('VFIO_DEVICE_GET_INFO', 'VFIO_DEVICE_FLAGS_PCI', 'VFIO_DEVICE_FLAGS_RESET');
    });

    it('has these regions', () => {
      const { device } = card;
      assert.deepEqual(
        device.regions.slice(0, 8).map(region => region.name),
        names,
      );
      assert.deepEqual(
        device.regions.slice(0, 8).map(region => region.size),
        expected.sizes,
      );
      assert.deepEqual(
        indexes(device, i => device.region(i).info.mappable),
        expected.mappable,
      );
      assert.deepEqual(
        indexes(device, i => device.region(i).info.msixMappable),
        expected.msixMappable,
      );
      assert.deepEqual(
        indexes(device, i => device.region(i).ioPort),
        expected.ioPorts,
      );
      for (const { areas, info, size } of device.regions) {
        assert.deepEqual(areas, info.mappable ? [{ offset: 0, size }] : [], 'all or nothing is mappable');
        assert.deepEqual([info.sparseAreas, info.type, info.unknown], [undefined, undefined, []]);
      }
      assert.equal(device.rom, device.region(6));
      assert.equal(device.config, device.region(7));
      assert.equal(device.vga.size, 0);
      assert.equal(device.bar(0).info.readable && device.bar(0).info.writable, true);
      covers(
        'VFIO_DEVICE_GET_REGION_INFO',
        'VFIO_PCI_BAR3_REGION_INDEX',
        'VFIO_PCI_BAR4_REGION_INDEX',
        'VFIO_PCI_BAR5_REGION_INDEX',
      );
    });

    it('has these interrupts', () => {
      const { device } = card;
      assert.deepEqual(
        device.irqs.map(irq => irq.count),
        expected.vectors,
      );
      assert.equal(device.intx.available, expected.vectors[0] === 1);
      assert.deepEqual([device.msi.count, device.msix.count], expected.vectors.slice(1, 3));
      const intx = device.irq(IrqIndex.Intx);
      assert.deepEqual([intx.eventfd, intx.maskable, intx.automasked], [true, true, true]);
      assert.deepEqual(device.irq(99), { ...device.irq(99), count: 0, eventfd: false, name: 'irq 99' });
      covers(
        'VFIO_DEVICE_GET_IRQ_INFO',
        'VFIO_IRQ_INFO_EVENTFD',
        'VFIO_IRQ_INFO_MASKABLE',
        'VFIO_IRQ_INFO_AUTOMASKED',
      );
    });

    it('is served as plain frozen data', () => {
      const { info, irqs, regions } = card.device;
      for (const data of [info, irqs, regions, ...irqs, ...regions.map(region => region.info)]) {
        assert.ok(Object.isFrozen(data));
      }
    });
  });
}
