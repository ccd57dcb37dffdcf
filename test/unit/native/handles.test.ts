import assert from 'node:assert/strict';
import { native, type ContainerHandle } from '../../../lib/native';
import { errnos, liveSince, nothingLive, now, openFiles, thrownBy } from './support';

describe('native handles', () => {
  const addon = native();

  it('are told apart by kind', () => {
    const handles = {
      container: addon.containerOpen('/dev/null'),
      group: addon.groupOpen('/dev/null'),
      eventfd: addon.eventFdCreate(),
      memory: addon.memoryFromView(new Uint8Array(16)),
      restore: addon.restoreCreate([]),
    };
    const takers = {
      container: (handle: never) => addon.containerGetApiVersion(handle),
      group: (handle: never) => addon.groupGetStatus(handle),
      device: (handle: never) => addon.deviceGetInfo(handle),
      bar: (handle: never) => addon.barBuffer(handle),
      dmaMap: (handle: never) => addon.dmaUnmap(handle, false),
      eventfd: (handle: never) => addon.eventFdTake(handle),
      memory: (handle: never) => addon.memoryAddress(handle),
      restore: (handle: never) => addon.restoreRun(handle, false),
    };
    for (const [kind, take] of Object.entries(takers)) {
      for (const [other, handle] of Object.entries(handles)) {
        if (other === kind) continue;
        const error = thrownBy(() => take(handle as never));
        assert(error instanceof TypeError, `${other} as ${kind}`);
        assert.match(error.message, new RegExp(`must be a handle of the kind ${kind}$`));
      }
    }
    addon.containerClose(handles.container);
    addon.groupClose(handles.group);
    addon.eventFdClose(handles.eventfd);
    addon.memoryFree(handles.memory);
    now(addon.restoreRun(handles.restore, false));
  });

  it('cannot be imitated', () => {
    const real = addon.containerOpen('/dev/null');
    const imitations = [
      Object.create(real) as object,
      new Proxy(real, {}),
      { ...real },
      structuredClone(real),
    ];
    for (const imitation of imitations) {
      assert.throws(() => addon.containerGetApiVersion(imitation as ContainerHandle), TypeError);
    }
    addon.containerClose(real);
  });

  it('survive being frozen and given a prototype', () => {
    const container = Object.freeze(
      Object.setPrototypeOf(addon.containerOpen('/dev/null'), null) as ContainerHandle,
    );
    assert.equal(thrownBy(() => addon.containerGetApiVersion(container)).code, 'ENOTTY');
    addon.containerClose(container);
  });

  it('close as often as one likes, and then refuse', () => {
    const before = addon.liveObjects();
    const files = openFiles();
    const container = addon.containerOpen('/dev/null');
    const group = addon.groupOpen('/dev/null');
    const eventfd = addon.eventFdCreate();
    const memory = now(addon.memoryAlloc(4096, 0, 0, -1, false));
    assert.deepEqual(liveSince(before), {
      ...nothingLive,
      containers: 1,
      groups: 1,
      eventfds: 1,
      memories: 1,
    });
    for (let i = 0; i < 3; i++) {
      addon.containerClose(container);
      addon.groupClose(group);
      addon.eventFdClose(eventfd);
      addon.memoryFree(memory);
    }
    assert.deepEqual(liveSince(before), nothingLive);
    assert.equal(openFiles(), files);

    const uses: [string, () => unknown][] = [
      ['The container is closed', () => addon.containerGetApiVersion(container)],
      ['The container is closed', () => addon.containerCheckExtension(container, 1)],
      ['The container is closed', () => addon.containerSetIommu(container, 1)],
      ['The container is closed', () => addon.containerGetIommuInfo(container)],
      ['The container is closed', () => addon.dmaUnmapAll(container, false)],
      ['The container is closed', () => addon.dmaUnmapAll(container, true)],
      ['The group is closed', () => addon.groupGetStatus(group)],
      ['The group is closed', () => addon.groupUnsetContainer(group)],
      ['The group is closed', () => addon.groupGetDeviceFd(group, 'x', true)],
      ['The eventfd is closed', () => addon.eventFdSignal(eventfd, 1)],
      ['The eventfd is closed', () => addon.eventFdTake(eventfd)],
      ['The eventfd is closed', () => addon.eventFdWait(eventfd, 0)],
      ['The eventfd is closed', () => addon.eventFdNumber(eventfd)],
      ['The memory is closed', () => addon.memoryAddress(memory)],
      ['The memory is closed', () => addon.memoryBuffer(memory)],
    ];
    for (const [message, use] of uses) {
      const error = thrownBy(use);
      assert.equal(error.message, message);
      assert.equal(error.code, 'ERR_VFIO_CLOSED');
    }
  });

  it('a group that could not be attached lets the container go', () => {
    const container = addon.containerOpen('/dev/null');
    const group = addon.groupOpen('/dev/null');
    assert.equal(thrownBy(() => addon.groupSetContainer(group, container)).code, 'ENOTTY');
    addon.containerClose(container);
    assert.equal(thrownBy(() => addon.groupSetContainer(group, container)).code, 'ERR_VFIO_CLOSED');
    addon.groupClose(group);
  });

  it('a failed DMA mapping lets the memory go', async () => {
    const before = addon.liveObjects();
    const container = addon.containerOpen('/dev/null');
    const memory = now(addon.memoryAlloc(4096, 0, 0, -1, false));
    assert.equal(
      thrownBy(() => addon.dmaMap(container, memory, 0, 4096, 0n, 3, false)).errno,
      -errnos.ENOTTY,
    );
    await assert.rejects(async () => addon.dmaMap(container, memory, 0, 4096, 0n, 3, true), {
      code: 'ENOTTY',
    });
    addon.memoryFree(memory);
    addon.containerClose(container);
    assert.deepEqual(liveSince(before), nothingLive);
  });

  it('memory is busy while a mapping is being made', async () => {
    const container = addon.containerOpen('/dev/null');
    const memory = now(addon.memoryAlloc(4096, 0, 0, -1, false));
    // These keep the four threads of the pool from getting to the mapping too soon.
    const others = Array.from({ length: 8 }, () => addon.memoryAlloc(2 ** 24, 0, 0, -1, true));
    const mapping = addon.dmaMap(container, memory, 0, 4096, 0n, 3, true);
    const error = thrownBy(() => addon.memoryFree(memory));
    assert.equal(error.code, 'EBUSY');
    assert.match(error.message, /unmap its DMA mapping first/);
    await assert.rejects(Promise.resolve(mapping), { code: 'ENOTTY' });
    addon.memoryFree(memory);
    for (const other of others) addon.memoryFree(await other);
    addon.containerClose(container);
  });
});
