import assert from 'node:assert/strict';
import { Device } from 'vfio';
import { devices } from '../../../lab/devices';
import { covers } from '../../support/covers';
import { lacking, needs } from '../../support/needs';
import { bound } from '../support/bound';
import { Edu } from '../support/edu';
import { labSuite } from '../support/suite';

/** pci-testdev: which of its tests is chosen, the first byte of its memory BAR. A reset makes it 0. */
const chosenTest = 0;

const ways = lacking({ iommufd: true }) === undefined ? (['group', 'cdev'] as const) : (['group'] as const);

labSuite('hot reset', () => {
  const all = [devices.edu, devices.testdev, devices.pairEdu, devices.pairTestdev];
  needs({ iommu: true, devices: all });
  bound(...all);

  for (const via of ways) {
    describe(`by ${via}`, () => {
      for (const way of ['hotReset', 'hotResetSync'] as const) {
        it(`${way}() puts the registers of a device back`, async () => {
          await using device = await Device.open(devices.testdev, { via });
          using registers = device.bar(0).map();
          registers.write8(chosenTest, 1);
          assert.equal(registers.read8(chosenTest), 1);
          await device[way]();
          assert.equal(registers.read8(chosenTest), 0);
          registers.write8(chosenTest, 1);
          assert.equal(registers.read8(chosenTest), 1, 'the mapping works on');
          covers('VFIO_DEVICE_PCI_HOT_RESET');
        });
      }

      it('keeps bus mastering, interrupts, mappings and DMA memory', async () => {
        await using device = await Device.open(devices.edu, { via });
        const [vector] = device.msi.enable(1);
        const memory = device.dma.alloc(4096, { addressBits: 28 });
        using registers = device.bar(0).map();
        device.enableBusMaster();
        await device.hotReset();
        assert.equal(device.config.busMaster, true);
        assert.equal(device.config.memoryDecoding, true);
        assert.equal(memory.freed, false);
        assert.equal(registers.read32(Edu.ID) & 0xffff, 0xed);
        registers.write32(Edu.INTERRUPT_RAISE, 1);
        assert.equal(await vector.wait({ timeoutMs: 5000 }), 1);
        memory.free();
      });

      it('resets the other device on the bus too', async () => {
        await using mine = await Device.open(devices.pairEdu, { via });
        await using other = await Device.open(devices.pairTestdev, { via });
        other.bar(0).write8(chosenTest, 1);
        await assert.rejects(mine.reset(), { code: 'ERR_VFIO_UNSUPPORTED' }, 'it has no reset of its own');
        assert.equal(other.bar(0).read8(chosenTest), 1);
        await mine.hotReset();
        assert.equal(other.bar(0).read8(chosenTest), 0);
        covers('VFIO_DEVICE_PCI_HOT_RESET');
      });

      it('is refused on a closed device', async () => {
        const device = await Device.open(devices.edu, { via });
        await device.close();
        assert.throws(() => device.hotResetPlan(), { code: 'ERR_VFIO_CLOSED' });
        await assert.rejects(device.hotReset(), { code: 'ERR_VFIO_CLOSED' });
        assert.throws(() => device.hotResetSync(), { code: 'ERR_VFIO_CLOSED' });
      });
    });
  }
});

labSuite('hot reset without ownership', () => {
  needs({ iommu: true, devices: [devices.pairEdu, devices.pairTestdev] });
  bound(devices.pairEdu);

  for (const via of ways) {
    it(`names the device that stands in the way (by ${via})`, async () => {
      await using device = await Device.open(devices.pairEdu, { via });
      const refused = {
        code: 'EPERM',
        address: devices.pairEdu,
        message: new RegExp(
          `^A hot reset of ${devices.pairEdu} would also reset devices that this process does not own\\. ` +
            `Likely cause: ${devices.pairTestdev} \\(group \\d+\\) is on no driver\\. Try: `,
        ),
      };
      await assert.rejects(device.hotReset(), refused);
      assert.throws(() => device.hotResetSync(), refused);
    });
  }
});
