import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { Container, Extension, Group, Iommu } from '../../lib/index.js';
import { native } from '../../lib/native.js';
import { FakeKernel } from '../support/fake-kernel.js';
import { skip } from '../support/skip.js';
import { struct } from '../support/struct.js';

describe('Container', () => {
  let kernel: FakeKernel;
  let groups: Group[];
  let container: Container;

  beforeEach(() => {
    kernel = new FakeKernel();
    container = Container.open();
    groups = [Group.open(12), Group.open(13)];
    kernel.take();
  });
  afterEach(() => {
    container.close();
    for (const group of groups) group.close();
    kernel[Symbol.dispose]();
  });
  const [a, b] = [() => groups[0] as Group, () => groups[1] as Group];

  it('speaks version 0 only', () => {
    assert.equal(container.apiVersion, 0);
    kernel.apiVersion = 1;
    assert.throws(() => Container.open(), {
      code: 'ERR_VFIO_UNSUPPORTED',
      message: /VFIO API version 1; .* version 0/,
    });
    kernel.apiVersion = 0;
    assert.equal(kernel.take('containerClose').length, 1);
    kernel.fail('containerGetApiVersion', 'ENOTTY');
    assert.throws(() => Container.open(), { code: 'ENOTTY', syscall: 'VFIO_GET_API_VERSION' });
    assert.equal(kernel.take('containerClose').length, 1);
  });

  it('knows the extensions of linux/vfio.h by name and number', () => {
    kernel.extensions = new Map(Object.values(Extension).map(number => [number, number * 10]));
    for (const [name, number] of Object.entries(Extension)) {
      assert.equal(container.checkExtension(name as keyof typeof Extension), number * 10);
      assert.equal(container.checkExtension(number), number * 10);
    }
    assert.equal(container.checkExtension(4711), 0);
    assert(Object.isFrozen(Extension) && Object.isFrozen(Iommu));
  });

  it('keeps the order of the kernel', () => {
    const noIommu = (message: RegExp) => ({ name: 'VfioError', code: 'ERR_VFIO_NO_IOMMU', message });
    assert.throws(
      () => container.setIommu(),
      noIommu(/^Cannot set the IOMMU of an empty container.*attach a group first/),
    );
    assert.throws(() => container.iommuInfo(), noIommu(/^The container has no IOMMU yet/));
    assert.throws(() => container.dma.alloc(4096), noIommu(/has no IOMMU yet/));
    container.attach(a());
    assert.throws(
      () => a().openDeviceSync('03:00.0'),
      noIommu(/^Cannot open 0000:03:00.0: group 12 has no IOMMU yet/),
    );
    container.setIommu();
    assert.throws(() => container.setIommu(), { code: 'ERR_VFIO_BUSY', message: /has its IOMMU already/ });
    assert.deepEqual(kernel.take('containerSetIommu'), ['containerSetIommu 3']);
  });

  it('takes type1v2 where there is one, or what it is told', () => {
    kernel.extensions.delete(Extension.Type1v2);
    container.attach(a());
    container.setIommu();
    assert.deepEqual(
      [kernel.take('containerSetIommu'), container.iommuType],
      [['containerSetIommu 1'], Iommu.Type1],
    );
    container.detach(a());
    assert.equal(container.iommuType, undefined);
    container.attach(a());
    container.setIommu(Iommu.Type1v2);
    assert.equal(container.iommuType, Iommu.Type1v2);
    assert.throws(() => container.setIommu(2 as 3), {
      code: 'ERR_OUT_OF_RANGE',
      message: /Iommu.Type1 \(1\) or/,
    });
  });

  it('stays without an IOMMU when the kernel refuses it', () => {
    container.attach(a());
    kernel.fail('containerSetIommu', 'ENODEV');
    assert.throws(() => container.setIommu(), { code: 'ENODEV', message: /load vfio_iommu_type1/ });
    assert.equal(container.iommuType, undefined);
    container.setIommu();
  });

  it('holds several groups, each in one container', () => {
    container.attach(a());
    container.attach(b());
    assert.deepEqual([container.groups, a().container, b().container], [groups, container, container]);
    assert.throws(() => container.attach(a()), {
      code: 'ERR_VFIO_BUSY',
      message: /^Group 12 is in a container already/,
    });
    using other = Container.open();
    assert.throws(() => other.attach(a()), { code: 'ERR_VFIO_BUSY' });
    assert.throws(() => other.detach(a()), {
      code: 'ERR_VFIO_BUSY',
      message: /^Group 12 is not in this container/,
    });
    container.detach(a());
    assert.deepEqual([container.groups, a().container], [[b()], undefined]);
    other.attach(a());
  });

  it('takes no group that is not viable', () => {
    kernel.groupStatus = 0;
    assert.throws(() => container.attach(a()), {
      name: 'VfioError',
      code: 'ERR_VFIO_NOT_VIABLE',
      path: '/dev/vfio/12',
      message: /^Group 12 is not viable.*bind every member to vfio-pci/,
    });
    assert.deepEqual([container.groups, a().container], [[], undefined]);
    kernel.groupStatus = 1;
    kernel.fail('groupSetContainer', 'EINVAL');
    assert.throws(() => container.attach(a()), { code: 'EINVAL', message: /^Attaching group 12 failed/ });
    assert.deepEqual([container.groups, a().container], [[], undefined]);
    container.attach(a());
  });

  it('does not let a group go that is in use', () => {
    container.attach(a());
    container.setIommu();
    const device = a().openDeviceSync('03:00.0');
    assert.throws(() => container.detach(a()), {
      code: 'ERR_VFIO_BUSY',
      message: /^Group 12 still has 0000:03:00.0 open/,
    });
    device.closeSync();
    container.detach(a());
  });

  it('frees DMA memory with the last group, not before', () => {
    container.attach(a());
    container.attach(b());
    container.setIommu();
    const buffer = container.dma.alloc(4096);
    container.detach(a());
    assert.equal(buffer.freed, false);
    container.detach(b());
    assert.equal(buffer.freed, true);
    assert.deepEqual(container.dma.buffers, []);
  });

  it('narrows the addresses when a group with other reserved windows joins', () => {
    container.attach(a());
    container.setIommu();
    const ranges = (...numbers: bigint[]) => [
      { id: 1, version: 1, data: struct(numbers.length / 2, 0, ...numbers) },
    ];
    kernel.iommu.capabilities = ranges(0n, 0xfedf_ffffn, 0xfef0_0000n, 0x7f_ffff_ffffn);
    container.attach(b());
    assert.throws(() => container.dma.alloc(4096, { iova: 0xfee0_0000n }), {
      code: 'EINVAL',
      message: /does not accept IOVA 0xfee00000-0xfee00fff.*0x0-0xfedfffff, 0xfef00000-0x7fffffffff/,
    });
  });

  it('reads the IOMMU info anew each time', () => {
    container.attach(a());
    container.setIommu();
    assert.equal(container.iommuInfo().mappingsAvailable, undefined);
    kernel.iommu.capabilities = [{ id: 3, version: 1, data: struct(65_534) }];
    assert.equal(container.iommuInfo().mappingsAvailable, 65_534);
  });

  it('closes all that depends on it, once', () => {
    container.attach(a());
    container.attach(b());
    container.setIommu();
    const device = a().openDeviceSync('03:00.0');
    const buffer = container.dma.alloc(4096);
    kernel.take();
    container.close();
    container.close();
    container[Symbol.dispose]();
    assert.deepEqual(kernel.take(), [
      'deviceQuiesce',
      'deviceClose false',
      'groupUnsetContainer',
      'containerGetIommuInfo',
      'containerCheckExtension 9',
      'dmaUnmapAll false',
      'dmaUnmap false',
      'groupUnsetContainer',
      'containerClose',
    ]);
    assert.deepEqual(
      [device.closed, buffer.freed, a().closed, a().container],
      [true, true, false, undefined],
    );
    const closed = { code: 'ERR_VFIO_CLOSED', message: 'The container is closed' };
    for (const action of [
      () => container.checkExtension('Type1'),
      () => container.attach(a()),
      () => container.setIommu(),
      () => container.iommuInfo(),
      () => container.dma.alloc(4096),
    ]) {
      assert.throws(action, closed);
    }
  });
});

describe('Container.open on this machine', () => {
  it('says how to get /dev/vfio/vfio', function () {
    if (existsSync('/dev/vfio/vfio')) skip(this, 'this machine has VFIO');
    assert.throws(() => Container.open(), {
      name: 'VfioError',
      code: 'ENOENT',
      errno: -2,
      syscall: 'open',
      path: '/dev/vfio/vfio',
      likelyCause: 'the vfio module is not loaded',
      cure: 'modprobe vfio-pci',
    });
  });

  it('leaves nothing open when it fails', function () {
    if (existsSync('/dev/vfio/vfio')) skip(this, 'this machine has VFIO');
    const before = native().liveObjects();
    for (let i = 0; i < 100; i++) assert.throws(() => Container.open());
    assert.deepEqual(native().liveObjects(), before);
  });
});
