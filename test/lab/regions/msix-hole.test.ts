import assert from 'node:assert/strict';
import { Mapping } from 'vfio';
import { devices } from '../../../lab/devices';
import { native } from '../../../lib/native';
import { mappableAreas } from '../../../lib/region-info';
import { covers } from '../../support/covers';
import { opened } from '../support/bound';
import { labSuite } from '../support/suite';

/** The NVMe controller has registers, MSI-X table and pending bits in one BAR, a page or more for each. */
const page = 4096;
const nvme = { version: 8, table: 0x2000, pendingBits: 0x3000 } as const;

labSuite('the MSI-X table inside a BAR', () => {
  const card = opened(devices.nvme);

  it('is mapped along where the kernel says that this is all right', () => {
    const bar = card.device.bar(0);
    assert.equal(bar.info.msixMappable, true);
    assert.deepEqual(bar.areas, [{ offset: 0, size: bar.size }]);
    using mapping = bar.map();
    for (const offset of [0, nvme.version, nvme.pendingBits]) {
      assert.equal(mapping.read32(offset), bar.read32(offset));
    }
    assert.equal(mapping.read32(nvme.table + 12), 1, 'the first vector is masked');
    covers('VFIO_REGION_INFO_FLAG_CAPS', 'VFIO_REGION_INFO_CAP_MSIX_MAPPABLE');
  });

  it('is hidden from system calls by the kernel, which owns it', () => {
    const bar = card.device.bar(0);
    using mapping = bar.map();
    bar.write32(nvme.table, 0x1234_5678);
    assert.equal(bar.read32(nvme.table), 0xffff_ffff);
    assert.equal(mapping.read32(nvme.table), 0);
  });

  it('makes a hole of its page where the kernel says nothing, as before 4.16', () => {
    const { info } = card.device.bar(0);
    const table = card.device.config.msixTable();
    assert.deepEqual(mappableAreas({ ...info, msixMappable: false }, table, page), [
      { offset: 0, size: nvme.table },
      { offset: nvme.pendingBits, size: info.size - nvme.pendingBits },
    ]);
  });

  it('in a mapping with such a hole is refused, while all around it works', () => {
    const bar = card.device.bar(0);
    const areas: [number, number][] = [
      [0, nvme.table],
      [nvme.pendingBits, bar.size - nvme.pendingBits],
    ];
    const gone = card.device.barMemory.signal;
    const handle = native().barMap(card.device.handle, bar.info.fileOffset, bar.size, areas, true, gone);
    using mapping = new Mapping(bar, 0, bar.size, areas, true, handle);
    assert.equal(mapping.read32(nvme.version), bar.read32(nvme.version));
    assert.equal(mapping.read32(nvme.pendingBits), bar.read32(nvme.pendingBits));
    const hole = {
      code: 'ERR_OUT_OF_RANGE',
      message: /does not let be mapped; mapped: 0x0-0x1fff, 0x3000-0x3fff/,
    };
    for (const offset of [nvme.table, nvme.table + 0xffc]) {
      assert.throws(() => mapping.read32(offset), hole);
      assert.throws(() => mapping.write32(offset, 0), hole);
    }
    assert.equal(mapping.read64(nvme.table - 8), bar.read64(nvme.table - 8));
    const raw = new Uint32Array(mapping.buffer);
    assert.equal(raw[nvme.table / 4], 0xffff_ffff, 'the hole is dead memory');
    assert.equal(raw[nvme.version / 4], bar.read32(nvme.version));
    // The hole never reaches the device.
    raw[nvme.table / 4] = 0x1234_5678;
    using whole = bar.map();
    assert.equal(whole.read32(nvme.table), 0);
  });
});
