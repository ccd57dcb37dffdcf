import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import { Container, Device, Group, Iommufd } from 'vfio';
import { devices } from '../../../lab/devices';
import { type DmaMapHandle, type MemoryHandle, native } from '../../../lib/native';
import { covers, refusal } from '../../support/covers';
import { lacking, needs } from '../../support/needs';
import { skip } from '../../support/skip';
import { bound } from '../support/bound';
import { EDU_BYTES, EduCard, fillPattern } from '../support/edu';
import { mediated } from '../support/mdev';
import { wholePages } from '../support/shared-memory';
import { labSuite } from '../support/suite';

const page = 4096;

/** What containers have pinned for this process: they count it as locked. */
function locked(): number {
  const status = fs.readFileSync('/proc/self/status', 'utf8');
  return Number(/^VmLck:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}

/** The lower layer's mapping, for states that `moveTo` passes through. */
function mapAt(container: Container, memory: MemoryHandle): DmaMapHandle {
  return native().dmaMap(container.handle, memory, 0, page, 0x100_0000n, 3, false) as DmaMapHandle;
}

labSuite('type1: memory at a new address', () => {
  needs({ iommu: true, devices: [devices.edu, devices.testdev] });
  bound(devices.edu, devices.testdev);
  let device: Device;
  beforeEach(async () => {
    device = await Device.open(devices.edu, { via: 'group' });
  });
  afterEach(() => device.close());

  it('is what the kernel says it can do, once there is an IOMMU', () => {
    using fresh = Container.open();
    assert.equal(fresh.checkExtension('UpdateVaddr'), 0);
    assert.equal(device.container?.checkExtension('UpdateVaddr'), 1);
    covers('VFIO_UPDATE_VADDR');
  });

  it('does not change what devices see, not even when it is other memory: the kernel takes our word', async () => {
    device.enableBusMaster();
    const edu = new EduCard(device);
    const [before, after] = [wholePages(1), wholePages(1)];
    const buffer = device.dma.map(before, { addressBits: 28 });
    const pinned = locked();
    fillPattern(before, 1);
    fillPattern(after, 2);
    const moved = buffer.moveTo(after);
    assert.equal(locked(), pinned, 'nothing was pinned or let go');
    assert.deepEqual([buffer.freed, moved.freed, moved.iova], [true, false, buffer.iova]);
    assert.equal(moved.byteLength, page);
    assert.deepEqual(device.dma.buffers, [moved]);
    assert.equal(moved.u8[1], after[1]);

    await edu.readFrom(moved.iova);
    before.fill(0);
    await edu.writeTo(moved.iova);
    const expected = new Uint8Array(EDU_BYTES);
    fillPattern(expected, 1);
    assert.deepEqual(
      before.slice(0, EDU_BYTES),
      expected,
      'the device reads and writes the pages it always had',
    );
    const untouched = new Uint8Array(page);
    fillPattern(untouched, 2);
    assert.deepEqual(Uint8Array.from(after), untouched);

    const again = moved.moveTo(before);
    again.free();
    assert.equal(locked(), pinned - page);
    covers('VFIO_DMA_UNMAP_FLAG_VADDR', 'VFIO_DMA_MAP_FLAG_VADDR');
  });

  it('goes by two calls, between which the container takes no other group', () => {
    const { container } = device;
    assert(container !== undefined);
    const [first, second] = [wholePages(1), wholePages(1)].map(view => native().memoryFromView(view)) as [
      MemoryHandle,
      MemoryHandle,
    ];
    const map = mapAt(container, first);
    const invalid = { code: 'EINVAL' };
    assert.throws(() => native().dmaNewAddress(map, second), invalid, 'the old address is still good');
    native().dmaForgetAddress(map);
    assert.throws(() => native().dmaForgetAddress(map), invalid, 'there is none to forget');
    using other = Group.open(devices.testdev);
    assert.throws(() => container.attach(other), { code: 'EBUSY', syscall: 'VFIO_GROUP_SET_CONTAINER' });
    native().dmaNewAddress(map, second);
    container.attach(other);
    container.detach(other);
    native().dmaUnmap(map, false);
    native().memoryFree(first);
    native().memoryFree(second);
    covers('VFIO_DMA_UNMAP_FLAG_VADDR', 'VFIO_DMA_MAP_FLAG_VADDR');
  });

  it('is forgotten together with the mapping', () => {
    const { container } = device;
    assert(container !== undefined);
    const memory = native().memoryFromView(wholePages(1));
    const map = mapAt(container, memory);
    native().dmaForgetAddress(map);
    native().dmaUnmap(map, false);
    native().memoryFree(memory);
    device.dma.alloc(page).free();
  });

  it('can be that of the same pages: registers mapped twice', async () => {
    const { container } = device;
    assert(container !== undefined);
    await using other = await Device.open(devices.testdev, { container });
    const bar = other.bar(0);
    using first = bar.map({ size: page });
    using second = bar.map({ size: page });
    const [one, two] = [first, second].map(mapping =>
      native().memoryFromView(new Uint8Array(mapping.buffer, 0, page)),
    ) as [MemoryHandle, MemoryHandle];
    assert.notEqual(native().memoryAddress(one), native().memoryAddress(two));
    const map = mapAt(container, one);
    native().dmaForgetAddress(map);
    native().dmaNewAddress(map, two);
    native().dmaUnmap(map, false);
    native().memoryFree(one);
    native().memoryFree(two);
  });

  it('is refused for memory that cannot be it, and the buffer stays as it was', () => {
    const buffer = device.dma.map(wholePages(1));
    const whole = wholePages(2);
    assert.throws(() => buffer.moveTo(whole), {
      code: 'ERR_OUT_OF_RANGE',
      message: /^memory must be as long as the buffer, 4096 bytes; got 8192/,
    });
    assert.throws(() => buffer.moveTo(whole.subarray(8, 8 + page)), {
      code: 'ERR_OUT_OF_RANGE',
      message: /^memory must start on a page/,
    });
    for (const memory of [new Uint8Array(page), new ArrayBuffer(page), undefined, 7])
      assert.throws(() => buffer.moveTo(memory as never), {
        code: 'ERR_INVALID_ARG_TYPE',
        message: /^memory/,
      });
    assert.equal(buffer.freed, false);
    assert.equal(buffer.u8[0], 0);
    buffer.free();
    assert.throws(() => buffer.moveTo(wholePages(1)), { code: 'ERR_VFIO_CLOSED' });
  });

  it('is not for an address space of an iommufd', function () {
    if (lacking({ iommufd: true }) !== undefined) skip(this, 'needs /dev/iommu');
    using iommufd = Iommufd.open();
    using ioas = iommufd.allocIoas();
    const buffer = ioas.dma.map(wholePages(1));
    assert.throws(() => buffer.moveTo(wholePages(1)), {
      code: 'ERR_VFIO_UNSUPPORTED',
      message: 'This memory is in an address space of an iommufd, not in a container',
    });
    assert.equal(buffer.freed, false);
  });
});

labSuite('type1: memory at a new address, with a mediated device', () => {
  needs({ profile: 'mdev' });
  const [mtty] = mediated('mtty-1');

  it('is refused: its driver may use the old one at any time', () => {
    using container = Container.open();
    using group = Group.open(mtty);
    container.attach(group);
    container.setIommu();
    assert.equal(container.checkExtension('UpdateVaddr'), 0);
    const buffer = container.dma.map(wholePages(1));
    assert.throws(() => buffer.moveTo(wholePages(1)), {
      code: 'EBUSY',
      syscall: 'VFIO_IOMMU_UNMAP_DMA',
      message: /Likely cause: a mediated device is in the container/,
    });
    assert.equal(buffer.freed, false);
    refusal('VFIO_UPDATE_VADDR', 'VFIO_DMA_UNMAP_FLAG_VADDR');
  });
});
