import assert from 'node:assert/strict';
import { Device, type DmaBuffer, HwPageTable, type Ioas, Iommufd } from 'vfio';
import { devices } from '../../../lab/devices';
import { covers, refusal } from '../../support/covers';
import { lacking, needs } from '../../support/needs';
import { skip } from '../../support/skip';
import { bound } from '../support/bound';
import { cdevMachine } from '../support/cdev';
import { ADDRESS_BITS, EduCard, fillPattern } from '../support/edu';
import { labSuite } from '../support/suite';

const BYTES = 1024;
/** What a kernel before 6.15 says to a PASID. */
const byAge = {
  code: 'ERR_VFIO_UNSUPPORTED',
  errno: -22,
  message: /this kernel is \d+\.\d+.*, and attaching by PASID came with 6\.15/,
};

/** A page table of virtio-iommu has no addresses before a device is attached to it, until Linux 6.15. */
function needsAddresses(test: Mocha.Context): void {
  const lack = lacking({ kernel: '6.15' });
  if (process.env['LAB_PROFILE'] === 'virtio-iommu' && lack !== undefined) skip(test, lack);
}

labSuite('iommufd: what a device is attached to', () => {
  needs(cdevMachine);
  bound(devices.edu);
  let iommufd: Iommufd;
  let device: Device;
  let card: EduCard;
  let spaces: [Ioas, Ioas];
  /** Other memory at the same address of either space. */
  let memories: [DmaBuffer, DmaBuffer];
  beforeEach(() => {
    iommufd = Iommufd.open();
    device = iommufd.openDeviceSync(devices.edu);
    card = new EduCard(device);
    device.enableBusMaster();
    spaces = [iommufd.allocIoas(), iommufd.allocIoas()];
    memories = [spaces[0].dma.alloc(4096, options), spaces[1].dma.alloc(4096, options)];
    assert.equal(memories[0].iova, memories[1].iova);
  });
  afterEach(() => iommufd.close());
  const options = { addressBits: ADDRESS_BITS };

  /** Has the device copy from one half of what it sees to the other. */
  async function copy(): Promise<void> {
    const { iova } = memories[0];
    await card.readFrom(iova, BYTES);
    await card.writeTo(iova + 2048n, BYTES);
  }

  function fill(): void {
    memories.forEach((memory, i) => {
      memory.u8.fill(0);
      fillPattern(memory.u8.subarray(0, BYTES), 10 + i);
    });
  }

  const wrote = (memory: DmaBuffer): boolean =>
    memory.u8.subarray(2048, 2048 + BYTES).some(byte => byte !== 0);
  const copied = ({ u8 }: DmaBuffer): void =>
    assert.deepEqual(u8.subarray(2048, 2048 + BYTES), u8.subarray(0, BYTES));

  it('is the memory it reaches; nothing before, and nothing after it is detached', async () => {
    fill();
    await copy();
    assert.deepEqual(memories.map(wrote), [false, false], 'not attached');

    device.attach(spaces[0]);
    assert.equal(device.attached, spaces[0]);
    assert.equal(device.dma, spaces[0].dma);
    await copy();
    copied(memories[0]);
    assert.equal(wrote(memories[1]), false);
    covers('VFIO_DEVICE_ATTACH_IOMMUFD_PT', 'IOMMU_IOAS_ALLOC', 'IOMMU_IOAS_MAP');

    device.detach();
    assert.equal(device.attached, undefined);
    assert.throws(() => device.dma, { code: 'ERR_VFIO_NO_IOMMU' });
    fill();
    await copy();
    assert.deepEqual(memories.map(wrote), [false, false], 'detached');
    covers('VFIO_DEVICE_DETACH_IOMMUFD_PT');

    device.attach(spaces[0]);
    await copy();
    copied(memories[0]);
  });

  it('is replaced without detaching it, while the device works', async function () {
    needsAddresses(this);
    fill();
    device.attach(spaces[0]);
    let transfers = 0;
    let running = true;
    const working = (async () => {
      for (; running; transfers++) await copy();
    })();
    for (let turn = 1; turn <= 6; turn++) {
      const target = spaces[turn % 2] as Ioas;
      const done = transfers;
      device.attach(target);
      assert.equal(device.attached, target);
      while (transfers < done + 2) await new Promise(setImmediate);
    }
    running = false;
    await working;
    copied(memories[0]);
    copied(memories[1]);
  });

  it('may be a page table over a space', async function () {
    needsAddresses(this);
    const table = HwPageTable.alloc(device, spaces[0]);
    assert.ok(table.id > 0 && table.ioas === spaces[0] && table.dma === spaces[0].dma);
    device.attach(table);
    assert.equal(device.attached, table);
    assert.equal(device.dma, spaces[0].dma);
    fill();
    await copy();
    copied(memories[0]);
    covers('IOMMU_HWPT_ALLOC', 'IOMMU_HWPT_DATA_NONE');

    assert.throws(() => table.close(), {
      code: 'EBUSY',
      syscall: 'IOMMU_DESTROY',
      message: /a device is attached/,
    });
    assert.equal(table.closed, false);
    device.attach(spaces[1]);
    table.close();
    assert.equal(table.closed, true);
    table.close();
    covers('IOMMU_DESTROY');
    fill();
    await copy();
    copied(memories[1]);
  });

  it('is not closed under it, and keeps its memory when that is refused', function () {
    needsAddresses(this);
    device.attach(spaces[0]);
    const table = HwPageTable.alloc(device, spaces[0]);
    assert.throws(() => spaces[0].close(), {
      code: 'ERR_VFIO_BUSY',
      message: new RegExp(`space ${spaces[0].id} is in use: device 0000:04:00\\.0, page table ${table.id}`),
    });
    assert.deepEqual([spaces[0].closed, memories[0].freed], [false, false]);
    device.detach();
    assert.throws(() => spaces[0].close(), { code: 'ERR_VFIO_BUSY', message: /in use: page table \d+\./ });
    table.close();
    spaces[0].close();
    assert.deepEqual([spaces[0].closed, memories[0].freed], [true, true]);
    assert.throws(() => device.attach(spaces[0]), { code: 'ERR_VFIO_CLOSED' });
    assert.throws(() => device.attach(table), { code: 'ERR_VFIO_CLOSED' });
  });

  it('belongs to the iommufd that the device is bound to', async () => {
    using other = Iommufd.open();
    using foreign = other.allocIoas();
    const wrong = { name: 'TypeError', message: /target must be an Ioas or HwPageTable of the same iommufd/ };
    const { id } = spaces[0];
    for (const target of [foreign, undefined, null, {}, 1, iommufd, { iommufd, id, closed: false }]) {
      assert.throws(() => device.attach(target as Ioas), wrong);
    }
    assert.throws(() => HwPageTable.alloc(device, foreign), {
      name: 'TypeError',
      message: /device must be bound to the same iommufd/,
    });
    assert.equal(device.attached, undefined);
    device.closeSync();
    await using byGroup = await Device.open(devices.edu, { via: 'group' });
    const group = { code: 'ERR_VFIO_UNSUPPORTED', message: /opened by its group, not bound to an iommufd/ };
    assert.throws(() => byGroup.attach(spaces[0]), group);
    assert.throws(() => byGroup.detach(), group);
    assert.throws(() => HwPageTable.alloc(byGroup, spaces[0]), group);
    assert.throws(() => iommufd.hwInfo(byGroup), group);
  });

  it('is nothing for a PASID, which no device here has', () => {
    const pasid = 5;
    const wrong = {
      code: 'ERR_OUT_OF_RANGE',
      message: /options\.pasid must be an integer from 1 to 1048575/,
    };
    for (const none of [0, 2 ** 20, -1, 1.5]) {
      assert.throws(() => device.attach(spaces[0], { pasid: none }), wrong);
      assert.throws(() => device.detach({ pasid: none }), wrong);
    }
    assert.throws(() => device.attach(spaces[0], { pasids: 1 } as never), { code: 'ERR_UNKNOWN_OPTION' });

    const tooOld = lacking({ feature: 'pasidAttach' }) !== undefined;
    const attach = { syscall: 'VFIO_DEVICE_ATTACH_IOMMUFD_PT', ...(tooOld ? byAge : { code: 'EINVAL' }) };
    assert.throws(() => device.attach(spaces[0], { pasid }), attach);
    refusal('VFIO_DEVICE_ATTACH_PASID');
    assert.equal(device.attached, undefined);
    if (tooOld) {
      const detach = { syscall: 'VFIO_DEVICE_DETACH_IOMMUFD_PT', ...byAge };
      assert.throws(() => device.detach({ pasid }), detach);
    } else {
      // There is nothing that it could do, and the kernel has no error for that.
      device.detach({ pasid });
    }
    refusal('VFIO_DEVICE_DETACH_PASID');
  });

  it('may be nothing twice', () => {
    device.detach();
    device.attach(spaces[0]);
    device.attach(spaces[0]);
    device.detach();
    device.detach();
    assert.equal(device.attached, undefined);
    const closed = { code: 'ERR_VFIO_CLOSED', message: /Device 0000:04:00\.0 is closed/ };
    device.closeSync();
    assert.throws(() => device.attach(spaces[0]), closed);
    assert.throws(() => device.detach(), closed);
    assert.throws(() => HwPageTable.alloc(device, spaces[0]), closed);
  });
});
