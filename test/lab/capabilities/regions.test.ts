import assert from 'node:assert/strict';
import { Device } from 'vfio';
import { devices } from '../../../lab/devices';
import { covers, refusal } from '../../support/covers';
import { needs } from '../../support/needs';
import { bound } from '../support/bound';
import { mediated } from '../support/mdev';
import { labSuite } from '../support/suite';

labSuite('region capabilities of PCI devices', () => {
  const addresses = [devices.nicA, devices.nvme, devices.edu, devices.testdev];
  needs({ iommu: true, devices: addresses });
  bound(...addresses);

  for (const address of addresses) {
    it(`of ${address}: the BAR with the MSI-X table can be mapped, and nothing else is special`, async () => {
      await using device = await Device.open(address);
      const table = device.config.msixTable();
      for (const { info, name } of device.regions) {
        const mappable = info.mappable && table?.bar === info.index;
        assert.equal(info.msixMappable, mappable, name);
        assert.deepEqual([info.sparseAreas, info.type, info.unknown], [undefined, undefined, []], name);
      }
      if (table !== undefined) covers('VFIO_REGION_INFO_CAP_MSIX_MAPPABLE', 'VFIO_REGION_INFO_FLAG_CAPS');
      refusal('VFIO_REGION_INFO_CAP_SPARSE_MMAP', 'VFIO_REGION_TYPE_PCI_VENDOR_TYPE');
      // What kernels had once: regions and capabilities of NVLink bridges, and the first migration protocol's region.
      refusal('VFIO_REGION_INFO_CAP_NVLINK2_SSATGT', 'VFIO_REGION_INFO_CAP_NVLINK2_LNKSPD');
      refusal('VFIO_REGION_SUBTYPE_NVIDIA_NVLINK2_RAM', 'VFIO_REGION_SUBTYPE_IBM_NVLINK2_ATSD');
      refusal('VFIO_REGION_TYPE_MIGRATION_DEPRECATED');
    });
  }
});

labSuite('region capabilities of a mediated display', () => {
  needs({ profile: 'mdev' });
  const [address] = mediated('mbochs-small');
  let device: Device;
  before(async () => {
    device = await Device.open(address);
  });
  after(() => device.close());

  it('name the type of a region of its own', () => {
    const edid = device.region(9);
    assert.equal(edid.name, 'region 9');
    assert.deepEqual(edid.info.type, { type: 1, subtype: 1 });
    assert.deepEqual(edid.info.unknown, []);
    for (const region of device.regions) if (region !== edid) assert.equal(region.info.type, undefined);
    covers(
      'VFIO_REGION_INFO_CAP_TYPE',
      'VFIO_REGION_INFO_FLAG_CAPS',
      'VFIO_REGION_TYPE_GFX',
      'VFIO_REGION_SUBTYPE_GFX_EDID',
    );
  });

  it('and that region works: an EDID is seen while the link is up', () => {
    // struct vfio_region_gfx_edid: offset, largest size and size of the EDID, largest width and height, link state
    const At = { OFFSET: 0, MAX_SIZE: 4, SIZE: 8, MAX_X: 12, MAX_Y: 16, LINK: 20 } as const;
    const Link = { UP: 1, DOWN: 2 } as const;
    const edid = device.region(9);
    const offset = edid.read32(At.OFFSET);
    assert.deepEqual([offset, edid.read32(At.MAX_SIZE)], [2048, 1024]);
    assert.deepEqual([edid.read32(At.MAX_X), edid.read32(At.MAX_Y)], [800, 600]);
    const blob = Buffer.from('00ffffffffffff00', 'hex');
    assert.equal(edid.write(offset, blob), blob.length);
    edid.write32(At.SIZE, blob.length);
    edid.write32(At.LINK, Link.UP);
    // The guest would read it from the start of BAR2.
    assert.equal(device.bar(2).read32(4), 0x00ff_ffff);
    edid.write32(At.LINK, Link.DOWN);
    assert.equal(device.bar(2).read32(4), 0);
    covers('VFIO_DEVICE_GFX_LINK_STATE_UP', 'VFIO_DEVICE_GFX_LINK_STATE_DOWN');
  });

  it('cannot be mapped where the kernel does not let it', () => {
    assert.throws(() => device.region(9).map(), { code: 'ERR_VFIO_UNSUPPORTED' });
  });
});
