import assert from 'node:assert/strict';
import { Device, Iommufd } from 'vfio';
import { devices } from '../../../lab/devices';
import { kernelHas } from '../../../lab/kernel-features';
import { covers, refusal } from '../../support/covers';
import { needs } from '../../support/needs';
import { skip } from '../../support/skip';
import { bound } from '../support/bound';
import { EduCard, fillPattern } from '../support/edu';
import { labSuite } from '../support/suite';

const page = 4096;

labSuite('a BAR as a dma-buf', () => {
  needs({ iommu: true, iommufd: true, devices: [devices.nicA, devices.edu, devices.testdev] });
  bound(devices.nicA, devices.edu, devices.testdev);

  it('is not there on older kernels, and the error names both', async () => {
    if (kernelHas('barDmaBuf')) return;
    await using device = await Device.open(devices.edu);
    assert.throws(() => device.features.exportDmaBuf(device.bar(0), 0, page), {
      code: 'ERR_VFIO_UNSUPPORTED',
      message:
        /^0000:04:00\.0 cannot share its BARs as dma-bufs on this kernel, which is 6\.\d+.*: DmaBuf came with 6\.19\. Try: Linux 6\.19 or later$/,
    });
    refusal('VFIO_DEVICE_FEATURE_DMA_BUF');
  });

  it('checks its arguments, on every kernel', async () => {
    await using device = await Device.open(devices.nicA);
    await using other = await Device.open(devices.edu);
    const { features } = device;
    const wrongType = (message: RegExp) => ({ code: 'ERR_INVALID_ARG_TYPE', message });
    const outOfRange = (message: RegExp) => ({ code: 'ERR_OUT_OF_RANGE', message });
    for (const region of [undefined, 0, {}])
      assert.throws(
        () => features.exportDmaBuf(region as never, 0, page),
        wrongType(/^region must be a Region/),
      );
    assert.throws(
      () => features.exportDmaBuf(other.bar(0), 0, page),
      wrongType(/^region must be a region of the same device/),
    );
    const bar = device.bar(0);
    for (const offset of [-1, 1, 100, bar.size + page])
      assert.throws(() => features.exportDmaBuf(bar, offset, page), outOfRange(/^offset must be/));
    for (const length of [0, 1, page + 1, bar.size + page])
      assert.throws(() => features.exportDmaBuf(bar, 0, length), outOfRange(/^length must be/));
    assert.throws(() => features.exportDmaBuf(bar, page, bar.size), outOfRange(/^length must be/));
    assert.throws(() => features.exportDmaBuf(bar, '0' as never, page), wrongType(/^offset must be/));
    for (const region of [device.config, device.rom, device.bar(5), device.bar(2)]) {
      assert.throws(() => features.exportDmaBuf(region, 0, page), {
        code: 'ERR_VFIO_UNSUPPORTED',
        message: `${region.name} of ${devices.nicA} is no memory BAR`,
      });
    }
  });

  describe('on kernels that have it', () => {
    let source: Device;
    before(async function () {
      if (!kernelHas('barDmaBuf')) skip(this, 'needs kernel 6.19, which brought barDmaBuf');
      source = await Device.open(devices.nicA);
    });
    after(async () => {
      if (kernelHas('barDmaBuf')) await source.close();
    });

    it('is a file descriptor that is closed once', () => {
      const bar = source.bar(0);
      const dmaBuf = source.features.exportDmaBuf(bar, 0, bar.size);
      assert(dmaBuf.fd > 2);
      dmaBuf.close();
      dmaBuf.close();
      assert.equal(dmaBuf.closed, true);
      assert.throws(() => dmaBuf.fd, { code: 'ERR_VFIO_CLOSED' });
      covers('VFIO_DEVICE_FEATURE_DMA_BUF');
    });

    it('is mapped into an address space, where another device does DMA to it', async () => {
      using iommufd = Iommufd.open();
      using ioas = iommufd.allocIoas();
      const writer = await iommufd.openDevice(devices.edu);
      try {
        writer.attach(ioas);
        writer.enableBusMaster();
        const edu = new EduCard(writer);
        // The multicast table: registers of the NIC that keep what is written to them.
        const table = 0x5200;
        const start = table & -page;
        using dmaBuf = source.features.exportDmaBuf(source.bar(0), start, page);
        using mapping = ioas.mapFile(dmaBuf.fd, 0, page, { iova: 0x10_0000n });
        const iova = mapping.iova + BigInt(table - start);
        using memory = ioas.dma.alloc(page, { addressBits: 28 });
        fillPattern(memory.u8, 1);
        await edu.readFrom(memory.iova, 16);
        await edu.writeTo(iova, 16);
        for (const word of [0, 1, 2, 3]) {
          assert.equal(source.bar(0).read32(table + word * 4), memory.u32[word], `word ${word}`);
        }
        source.bar(0).write32(table, 0x1234_5678);
        await edu.readFrom(iova, 16);
        await edu.writeTo(memory.iova, 16);
        assert.equal(memory.u32[0], 0x1234_5678);
        covers('VFIO_DEVICE_FEATURE_DMA_BUF');
      } finally {
        await writer.close();
      }
    });

    it('is refused for what is not mapped from its start or beyond its end', () => {
      using iommufd = Iommufd.open();
      using ioas = iommufd.allocIoas();
      using dmaBuf = source.features.exportDmaBuf(source.bar(0), 0, page);
      assert.throws(() => ioas.mapFile(dmaBuf.fd, 0, 2 * page), { code: 'EINVAL' });
    });

    it('dies with its device', async () => {
      const device = await Device.open(devices.testdev);
      using dmaBuf = device.features.exportDmaBuf(device.bar(0), 0, page);
      using iommufd = Iommufd.open();
      using ioas = iommufd.allocIoas();
      using mapping = ioas.mapFile(dmaBuf.fd, 0, page);
      assert.equal(mapping.byteLength, page);
      await device.close();
      assert.throws(() => ioas.mapFile(dmaBuf.fd, 0, page), { code: 'ENODEV' });
    });
  });
});
