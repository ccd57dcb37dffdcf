import assert from 'node:assert/strict';
import { native } from '../../../lib/native';
import { errnos, liveSince, nothingLive, now, rejectionOf, thrownBy } from './support';

describe('native errors', () => {
  const addon = native();

  it("have Node's shape", () => {
    const error = thrownBy(() => addon.containerOpen('/nonexistent/vfio'));
    assert.equal(error.message, "ENOENT: no such file or directory, open '/nonexistent/vfio'");
    assert.equal(error.code, 'ENOENT');
    assert.equal(error.errno, -errnos.ENOENT);
    assert.equal(error.syscall, 'open');
    assert.equal(error.path, '/nonexistent/vfio');
    assert.equal(error.stack?.split('\n')[0], `Error: ${error.message}`);
  });

  it('have a name where libuv has none', () => {
    const container = addon.containerOpen('/dev/null');
    for (const [errno, message] of [
      [42, 'ENOMSG: no message of that type'],
      [77, 'EBADFD: file descriptor in bad state'],
      [524, 'ENOTSUPP: operation not supported by the driver'],
    ] as const) {
      addon.failNext('VFIO_GET_API_VERSION', errno, 0);
      const error = thrownBy(() => addon.containerGetApiVersion(container));
      assert.equal(error.message, `${message}, VFIO_GET_API_VERSION '/dev/null'`);
      assert.deepEqual([error.code, error.errno], [message.split(':')[0], -errno]);
    }
    addon.containerClose(container);
  });

  it('name the ioctl and the file it was made on', () => {
    const container = addon.containerOpen('/dev/null');
    const group = addon.groupOpen('/dev/zero');
    const calls: [string, string, () => unknown][] = [
      ['VFIO_GET_API_VERSION', '/dev/null', () => addon.containerGetApiVersion(container)],
      ['VFIO_CHECK_EXTENSION', '/dev/null', () => addon.containerCheckExtension(container, 3)],
      ['VFIO_SET_IOMMU', '/dev/null', () => addon.containerSetIommu(container, 3)],
      ['VFIO_IOMMU_GET_INFO', '/dev/null', () => addon.containerGetIommuInfo(container)],
      ['VFIO_IOMMU_UNMAP_DMA', '/dev/null', () => addon.dmaUnmapAll(container, false)],
      ['VFIO_GROUP_GET_STATUS', '/dev/zero', () => addon.groupGetStatus(group)],
      ['VFIO_GROUP_SET_CONTAINER', '/dev/zero', () => addon.groupSetContainer(group, container)],
      ['VFIO_GROUP_UNSET_CONTAINER', '/dev/zero', () => addon.groupUnsetContainer(group)],
      [
        'VFIO_GROUP_GET_DEVICE_FD',
        '0000:00:00.0',
        () => addon.groupGetDeviceFd(group, '0000:00:00.0', false),
      ],
    ];
    for (const [syscall, path, call] of calls) {
      const error = thrownBy(call);
      assert.deepEqual([error.code, error.syscall, error.path], ['ENOTTY', syscall, path]);
    }
    addon.containerClose(container);
    addon.groupClose(group);
  });

  it('never show a VF token', async () => {
    const group = addon.groupOpen('/dev/null');
    const name = '0000:01:10.0 vf_token=2ab74924-c335-45f4-9b16-8569e5b08258';
    for (const error of [
      thrownBy(() => addon.groupGetDeviceFd(group, name, false)),
      await rejectionOf(addon.groupGetDeviceFd(group, name, true)),
    ]) {
      assert.equal(error.path, '0000:01:10.0');
      assert.doesNotMatch(JSON.stringify(error) + (error.stack ?? ''), /2ab74924/);
    }
    addon.groupClose(group);
  });

  it('of work on the thread pool have the stack of the call', async () => {
    const group = addon.groupOpen('/dev/null');
    function whereItWasCalled() {
      return addon.groupGetDeviceFd(group, 'x', true);
    }
    const error = await rejectionOf(whereItWasCalled());
    assert.equal(error.code, 'ENOTTY');
    const [first, second] = (error.stack ?? '').split('\n');
    assert.equal(first, `Error: ${error.message}`);
    assert.match(second ?? '', /whereItWasCalled/);
    addon.groupClose(group);
  });
});

describe('failure injection', () => {
  const addon = native();

  it('fails the call that was asked for, once', () => {
    const container = addon.containerOpen('/dev/null');
    addon.failNext('VFIO_GET_API_VERSION', errnos.EBUSY, 2);
    const codes = [0, 1, 2, 3].map(() => thrownBy(() => addon.containerGetApiVersion(container)).code);
    assert.deepEqual(codes, ['ENOTTY', 'ENOTTY', 'EBUSY', 'ENOTTY']);
    addon.containerClose(container);
  });

  it('is taken back by 0', () => {
    addon.failNext('open', errnos.EMFILE, 0);
    addon.failNext('open', 0, 0);
    addon.containerClose(addon.containerOpen('/dev/null'));
  });

  it('reaches the thread pool', async () => {
    addon.failNext('mmap', errnos.ENOMEM, 0);
    const error = await rejectionOf(addon.memoryAlloc(4096, 0, 0, -1, true));
    assert.deepEqual([error.code, error.syscall], ['ENOMEM', 'mmap']);
  });

  it('leaves nothing behind at any step of an allocation', () => {
    const before = addon.liveObjects();
    for (const [syscall, calls] of [
      ['mmap', 2],
      ['madvise', 2],
    ] as const) {
      for (let skip = 0; skip < calls; skip++) {
        addon.failNext(syscall, errnos.ENOMEM, skip);
        const error = thrownBy(() => addon.memoryAlloc(4096, 0, 0, -1, false));
        assert.deepEqual([error.code, error.syscall], ['ENOMEM', syscall]);
      }
    }
    assert.deepEqual(liveSince(before), nothingLive);
  });

  it('touches the pages where the kernel cannot populate them', () => {
    addon.failNext('madvise', errnos.EINVAL, 1);
    const memory = now(addon.memoryAlloc(3 * 4096, 0, 0, -1, false));
    assert.deepEqual(new Uint8Array(addon.memoryBuffer(memory)), new Uint8Array(3 * 4096));
    addon.memoryFree(memory);
  });

  for (const syscall of ['open', 'eventfd'] as const) {
    it(`reaches ${syscall}`, () => {
      addon.failNext(syscall, errnos.EMFILE, 0);
      const make = () => (syscall === 'open' ? addon.groupOpen('/dev/null') : addon.eventFdCreate());
      const error = thrownBy(make);
      assert.deepEqual([error.code, error.syscall, error.errno], ['EMFILE', syscall, -errnos.EMFILE]);
    });
  }
});
