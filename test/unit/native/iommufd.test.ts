import assert from 'node:assert/strict';
import { native } from '../../../lib/native';
import { errnos, liveSince, makePipe, nothingLive, now, openFiles, rejectionOf, thrownBy } from './support';

describe('native iommufd', () => {
  const addon = native();

  it('errors name the ioctl and the file it was made on', () => {
    const iommufd = addon.iommufdOpen('/dev/null');
    const device = now(addon.deviceOpenCdev('/dev/zero', false));
    const container = addon.containerOpen('/dev/null');
    const memory = now(addon.memoryAlloc(4096, 0, 0, -1, false));
    const bitmap = new BigUint64Array(1);
    const calls: [string, () => unknown][] = [
      ['IOMMU_DESTROY', () => addon.iommufdDestroy(iommufd, 1)],
      ['IOMMU_OPTION', () => addon.iommufdOption(iommufd, 0, 1, 0, 0n)],
      ['IOMMU_VFIO_IOAS', () => addon.iommufdVfioIoas(iommufd, 0, 0)],
      ['IOMMU_IOAS_CHANGE_PROCESS', () => addon.iommufdChangeProcess(iommufd)],
      ['IOMMU_IOAS_ALLOC', () => addon.ioasAlloc(iommufd)],
      ['IOMMU_IOAS_IOVA_RANGES', () => addon.ioasIovaRanges(iommufd, 1)],
      ['IOMMU_IOAS_ALLOW_IOVAS', () => addon.ioasAllowIovas(iommufd, 1, [{ start: 0n, last: 4095n }])],
      ['IOMMU_IOAS_MAP', () => addon.ioasMap(iommufd, 1, memory, 0, 4096, null, 3, false)],
      ['IOMMU_IOAS_MAP_FILE', () => addon.ioasMapFile(iommufd, 1, 0, 0, 4096, 0n, 3)],
      ['IOMMU_IOAS_COPY', () => addon.ioasCopy(iommufd, 1, 2, 4096n, null, 0n, 3)],
      ['IOMMU_IOAS_UNMAP', () => addon.ioasUnmapAll(iommufd, 1, false)],
      ['IOMMU_IOAS_NOIOMMU_GET_PA', () => addon.ioasNoIommuGetPa(iommufd, 1, 0n, 1n)],
      ['IOMMU_HWPT_ALLOC', () => addon.hwptAlloc(iommufd, 0, 1, 2, 0, new Uint8Array(8), 0)],
      ['IOMMU_GET_HW_INFO', () => addon.hwInfo(iommufd, 1, 0)],
      ['IOMMU_HWPT_SET_DIRTY_TRACKING', () => addon.hwptSetDirtyTracking(iommufd, 1, true)],
      [
        'IOMMU_HWPT_GET_DIRTY_BITMAP',
        () => addon.hwptGetDirtyBitmap(iommufd, 1, 0n, 4096n, 4096n, 0, bitmap),
      ],
      ['IOMMU_FAULT_QUEUE_ALLOC', () => addon.faultQueueAlloc(iommufd)],
      ['IOMMU_VIOMMU_ALLOC', () => addon.viommuAlloc(iommufd, 1, 1, 1, new Uint8Array(16))],
      ['IOMMU_VDEVICE_ALLOC', () => addon.vdeviceAlloc(iommufd, 1, 1, 1n)],
      ['IOMMU_VEVENTQ_ALLOC', () => addon.veventqAlloc(iommufd, 1, 1, 16)],
      ['IOMMU_HW_QUEUE_ALLOC', () => addon.hwQueueAlloc(iommufd, 1, 1, 0, 0n, 4096n)],
      ['VFIO_IOMMU_DIRTY_PAGES', () => addon.dirtyTracking(container, true)],
      ['VFIO_IOMMU_DIRTY_PAGES', () => addon.dirtyBitmap(container, 0n, 4096n, 4096n, bitmap)],
    ];
    const deviceCalls: [string, () => unknown][] = [
      ['VFIO_DEVICE_BIND_IOMMUFD', () => addon.deviceBindIommufd(device, iommufd, null, false)],
      ['VFIO_DEVICE_ATTACH_IOMMUFD_PT', () => addon.deviceAttach(device, 1, null)],
      ['VFIO_DEVICE_DETACH_IOMMUFD_PT', () => addon.deviceDetach(device, 1)],
      ['VFIO_DEVICE_FEATURE', () => addon.deviceFeature(device, 1 << 18, new Uint8Array(8), false)],
      ['VFIO_DEVICE_GET_PCI_HOT_RESET_INFO', () => addon.hotResetInfo(device)],
      ['VFIO_DEVICE_PCI_HOT_RESET', () => addon.hotReset(device, [], false)],
      ['VFIO_DEVICE_QUERY_GFX_PLANE', () => addon.queryGfxPlane(device, 1, 0)],
      ['VFIO_DEVICE_GET_GFX_DMABUF', () => addon.getGfxDmaBuf(device, 1)],
    ];
    const check = (entries: typeof calls, path: string) => {
      for (const [syscall, call] of entries) {
        const error = thrownBy(call);
        assert.deepEqual([error.code, error.syscall, error.path], ['ENOTTY', syscall, path]);
        // The name is the one that makes it fail.
        addon.failNext(syscall, errnos.EBUSY, 0);
        assert.deepEqual([thrownBy(call).code, thrownBy(call).code], ['EBUSY', 'ENOTTY'], syscall);
      }
    };
    check(calls, '/dev/null');
    check(deviceCalls, '/dev/zero');
    addon.memoryFree(memory);
    addon.containerClose(container);
    addon.deviceClose(device, false);
    addon.iommufdClose(iommufd);
  });

  it('an invalidation answers with what failed', () => {
    const iommufd = addon.iommufdOpen('/dev/null');
    const entries = new Uint8Array(48);
    const answer = { handled: 0, errno: errnos.ENOTTY };
    assert.deepEqual(addon.hwptInvalidate(iommufd, 1, 0, 24, entries), answer);
    assert.deepEqual(addon.hwptInvalidate(iommufd, 1, 0, 24, new Uint8Array(0)), answer);
    addon.failNext('IOMMU_HWPT_INVALIDATE', errnos.EBUSY, 0);
    assert.deepEqual(addon.hwptInvalidate(iommufd, 1, 0, 24, entries), { handled: 0, errno: errnos.EBUSY });
    addon.iommufdClose(iommufd);
  });

  it('promises are rejected as calls throw', async () => {
    const iommufd = addon.iommufdOpen('/dev/null');
    const device = now(addon.deviceOpenCdev('/dev/null', false));
    const memory = now(addon.memoryAlloc(4096, 0, 0, -1, false));
    const group = addon.groupOpen('/dev/null');
    const calls: [string, unknown][] = [
      ['open', addon.deviceOpenCdev('/nonexistent/vfio0', true)],
      ['VFIO_DEVICE_BIND_IOMMUFD', addon.deviceBindIommufd(device, iommufd, new Uint8Array(16), true)],
      ['VFIO_DEVICE_FEATURE', addon.deviceFeature(device, 1, new Uint8Array(0), true)],
      ['VFIO_DEVICE_PCI_HOT_RESET', addon.hotReset(device, [group], true)],
      ['IOMMU_IOAS_MAP', addon.ioasMap(iommufd, 1, memory, 0, 4096, 0n, 3, true)],
      ['IOMMU_IOAS_UNMAP', addon.ioasUnmapAll(iommufd, 1, true)],
    ];
    const errors = await Promise.all(calls.map(([, promise]) => rejectionOf(promise)));
    assert.deepEqual(
      errors.map(({ syscall }) => syscall),
      calls.map(([syscall]) => syscall),
    );
    addon.memoryFree(memory);
    addon.groupClose(group);
    addon.deviceClose(device, false);
    addon.iommufdClose(iommufd);
  });

  it('a failed mapping lets the memory go', async () => {
    const before = addon.liveObjects();
    const iommufd = addon.iommufdOpen('/dev/null');
    const memory = now(addon.memoryAlloc(4096, 0, 0, -1, false));
    const mapping = addon.ioasMap(iommufd, 1, memory, 0, 4096, null, 3, true);
    assert.equal((await rejectionOf(mapping)).code, 'ENOTTY');
    addon.memoryFree(memory);
    assert.equal(
      thrownBy(() => addon.ioasMap(iommufd, 1, memory, 0, 4096, null, 3, false)).code,
      'ERR_VFIO_CLOSED',
    );
    addon.iommufdClose(iommufd);
    assert.deepEqual(liveSince(before), nothingLive);
  });

  it('handles are told apart, close as often as one likes, and then refuse', () => {
    const before = addon.liveObjects();
    const files = openFiles();
    const iommufd = addon.iommufdOpen('/dev/null');
    const device = now(addon.deviceOpenCdev('/dev/null', false));
    const file = addon.fileAdopt(makePipe());
    assert.deepEqual(liveSince(before), { ...nothingLive, iommufds: 1, devices: 1, files: 1 });
    assert.throws(() => addon.ioasAlloc(file as never), /must be a handle of the kind iommufd$/);
    assert.throws(() => addon.fileNumber(iommufd as never), /must be a handle of the kind file$/);
    assert.throws(() => addon.hotReset(device, [iommufd as never], false), /of the kind group$/);
    assert.throws(() => addon.dmaUnmap(device as never, false), /of the kind dmaMap$/);
    assert.throws(() => addon.fileClose(addon.eventFdCreate() as never), /of the kind file$/);
    for (let i = 0; i < 3; i++) {
      addon.iommufdClose(iommufd);
      addon.deviceClose(device, false);
      addon.fileClose(file);
    }
    const uses: [string, () => unknown][] = [
      ['The iommufd is closed', () => addon.ioasAlloc(iommufd)],
      ['The iommufd is closed', () => addon.iommufdDestroy(iommufd, 1)],
      ['The iommufd is closed', () => addon.ioasUnmapAll(iommufd, 1, true)],
      ['The iommufd is closed', () => addon.hwptInvalidate(iommufd, 1, 0, 0, new Uint8Array(0))],
      ['The iommufd is closed', () => addon.containerFromIommufd(iommufd)],
      ['The device is closed', () => addon.deviceBindIommufd(device, iommufd, null, true)],
      ['The device is closed', () => addon.deviceAttach(device, 1, null)],
      ['The device is closed', () => addon.deviceFeature(device, 1, new Uint8Array(0), true)],
      ['The device is closed', () => addon.hotResetInfo(device)],
      ['The file is closed', () => addon.fileNumber(file)],
      ['The file is closed', () => addon.fileRead(file, new Uint8Array(1), false)],
      ['The file is closed', () => addon.fileRead(file, new Uint8Array(1), true)],
      ['The file is closed', () => addon.fileWrite(file, new Uint8Array(1), true)],
      ['The file is closed', () => addon.migrationPrecopyInfo(file)],
    ];
    for (const [message, use] of uses) {
      const error = thrownBy(use);
      assert.deepEqual([error.message, error.code], [message, 'ERR_VFIO_CLOSED']);
    }
    assert.equal(addon.liveObjects().iommufds, before.iommufds);
    assert(openFiles() <= files + 1, 'only the eventfd above may be left');
  });

  it('a device that was never bound closes', async () => {
    const before = addon.liveObjects();
    const device = await addon.deviceOpenCdev('/dev/null', true);
    addon.deviceQuiesce(device);
    await addon.deviceClose(device, true);
    assert.deepEqual(liveSince(before), nothingLive);
  });

  it('is a container too, as the same file', () => {
    const iommufd = addon.iommufdOpen('/dev/null');
    const container = addon.containerFromIommufd(iommufd);
    addon.iommufdClose(iommufd);
    const error = thrownBy(() => addon.containerGetApiVersion(container));
    assert.deepEqual([error.code, error.path], ['ENOTTY', '/dev/null']);
    addon.containerClose(container);
    addon.failNext('fcntl', errnos.EMFILE, 0);
    const other = addon.iommufdOpen('/dev/null');
    assert.equal(thrownBy(() => addon.containerFromIommufd(other)).code, 'EMFILE');
    addon.iommufdClose(other);
  });
});
