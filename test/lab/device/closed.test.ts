import assert from 'node:assert/strict';
import { Device } from 'vfio';
import { devices } from '../../../lab/devices';
import { byGroup } from '../support/by-group';
import { bound } from '../support/bound';
import { wasmMemory } from '../support/shared-memory';
import { labSuite } from '../support/suite';

labSuite('every method of a closed device', () => {
  bound(devices.nicA);
  const uses: Record<string, () => unknown> = {};
  const kept: Record<string, () => unknown> = {};

  before(async () => {
    const device = await Device.open(devices.nicA, { via: 'group' });
    const { config, dma, intx, msi, msix } = device;
    const { container, group } = byGroup(device);
    const bar = device.bar(0);
    const mapping = bar.map();
    const vector = msix.enable(1)[0];
    const ioEventFd = bar.ioeventfd(0x5200, 32, 1);
    const buffer = dma.alloc(4096);
    await device.close();
    const bytes = new Uint8Array(4);
    Object.assign(uses, {
      'reset()': () => device.reset(),
      'resetSync()': () => device.resetSync(),
      'enableBusMaster()': () => device.enableBusMaster(),
      'disableBusMaster()': () => device.disableBusMaster(),
      'region.read8()': () => bar.read8(0),
      'region.read16()': () => bar.read16(0),
      'region.read32()': () => bar.read32(0),
      'region.read64()': () => bar.read64(0),
      'region.write8()': () => bar.write8(0, 0),
      'region.write16()': () => bar.write16(0, 0),
      'region.write32()': () => bar.write32(0, 0),
      'region.write64()': () => bar.write64(0, 0n),
      'region.read()': () => bar.read(0, bytes),
      'region.write()': () => bar.write(0, bytes),
      'region.map()': () => bar.map(),
      'region.ioeventfd()': () => bar.ioeventfd(0x5200, 32, 1),
      'mapping.read8()': () => mapping.read8(0),
      'mapping.read16()': () => mapping.read16(0),
      'mapping.read32()': () => mapping.read32(0),
      'mapping.read64()': () => mapping.read64(0),
      'mapping.write8()': () => mapping.write8(0, 0),
      'mapping.write16()': () => mapping.write16(0, 0),
      'mapping.write32()': () => mapping.write32(0, 0),
      'mapping.write64()': () => mapping.write64(0, 0n),
      'mapping.buffer': () => mapping.buffer,
      'config.vendorId': () => config.vendorId,
      'config.busMaster': () => config.busMaster,
      'config.busMaster = true': () => (config.busMaster = true),
      'config.capabilities()': () => config.capabilities(),
      'config.find()': () => config.find('MSI-X'),
      'config.findExtended()': () => config.findExtended('SR-IOV'),
      'msix.enable()': () => msix.enable(1),
      'msi.enable()': () => msi.enable(1),
      'intx.enable()': () => intx.enable(),
      'intx.mask()': () => intx.mask(),
      'intx.unmask()': () => intx.unmask(),
      'intx.acknowledge()': () => intx.acknowledge(),
      'vector.wait()': () => vector.wait(),
      'vector.waitSync()': () => vector.waitSync(0),
      'vector.interrupts()': () => vector.interrupts(),
      'vector.trigger()': () => vector.trigger(),
      'vector.fd': () => vector.fd,
      'ioeventfd.trigger()': () => ioEventFd.trigger(),
      'ioeventfd.fd': () => ioEventFd.fd,
      'dma.alloc()': () => dma.alloc(4096),
      'dma.allocAsync()': () => dma.allocAsync(4096),
      'dma.map()': () => dma.map(wasmMemory()),
      'buffer.u32': () => buffer.u32,
      'buffer.buffer': () => buffer.buffer,
      'group.status()': () => group.status(),
      'group.openDevice()': () => group.openDevice(devices.nicA),
      'container.iommuInfo()': () => container.iommuInfo(),
      'container.checkExtension()': () => container.checkExtension('Type1'),
    });
    Object.assign(kept, {
      'device.info': () => device.info.regionCount,
      'device.regions': () => device.regions.map(region => [region.name, region.size, region.info]),
      'device.irqs': () => device.irqs.length,
      'device.region()': () => device.region(7),
      'mapping.size': () => mapping.size,
      'mapping.closed': () => assert.equal(mapping.closed, true),
      'vector.total': () => vector.total,
      'vector.off()': () => vector.off('interrupt', () => undefined),
      'buffer.iova': () => buffer.iovaAt(8),
      'close()s': async () => {
        mapping.close();
        vector.close();
        ioEventFd.close();
        buffer.free();
        msix.disable();
        intx.disable();
        group.close();
        container.close();
        await device.close();
      },
    });
  });

  it('throws ERR_VFIO_CLOSED', async () => {
    assert.ok(Object.keys(uses).length > 50);
    for (const [name, use] of Object.entries(uses)) {
      await assert.rejects(async () => await use(), { name: 'VfioError', code: 'ERR_VFIO_CLOSED' }, name);
    }
  });

  it('but what was known about it is still known, and closing parts of it does nothing', async () => {
    for (const use of Object.values(kept)) await use();
  });
});
