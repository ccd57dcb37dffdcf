import assert from 'node:assert/strict';
import { RegionIndex } from 'vfio';
import { devices } from '../../../lab/devices';
import { covers } from '../../support/covers';
import { needs } from '../../support/needs';
import { opened } from '../support/bound';
import { labSuite } from '../support/suite';

/** Ports of every VGA card, at the same offset in the region. */
const Port = { SEQUENCER_INDEX: 0x3c4, SEQUENCER_DATA: 0x3c5 } as const;
/** Which of four planes of memory a write goes to, one bit each. */
const mapMask = 2;

labSuite('the VGA region', () => {
  needs({ iommu: true, devices: [devices.vga] });
  const card = opened(devices.vga);

  it('is the legacy ranges of the first megabyte, and no more of it', () => {
    const { vga } = card.device;
    assert.equal(vga, card.device.region(RegionIndex.Vga));
    assert.deepEqual([vga.name, vga.size], ['VGA', 0xc_0000]);
    assert.deepEqual([vga.info.readable, vga.info.writable, vga.info.mappable], [true, true, false]);
    assert.throws(() => vga.read8(0), { code: 'EINVAL' });
    assert.throws(() => vga.map(), { code: 'ERR_VFIO_UNSUPPORTED' });
  });

  it('reaches the ports of the card', () => {
    const { vga } = card.device;
    vga.write8(Port.SEQUENCER_INDEX, mapMask);
    for (const planes of [0b0101, 0b1010]) {
      vga.write8(Port.SEQUENCER_DATA, planes);
      assert.equal(vga.read8(Port.SEQUENCER_DATA), planes);
    }
    covers('VFIO_PCI_VGA_REGION_INDEX');
  });
});
