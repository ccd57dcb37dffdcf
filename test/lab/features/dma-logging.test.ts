import assert from 'node:assert/strict';
import { Device, type DmaLogging } from 'vfio';
import { covers } from '../../support/covers';
import { needs } from '../../support/needs';
import { mediated } from '../support/mdev';
import { labSuite } from '../support/suite';

/** mtty does no DMA, and so writes no pages; that the kernel takes what it is given is what can be seen with it. */
labSuite('DMA logging', () => {
  needs({ profile: 'mdev' });
  const [address] = mediated('mtty-1');
  let device: Device;
  let logging: DmaLogging;
  before(async () => {
    device = await Device.open(address);
    logging = device.features.dmaLogging;
  });
  after(() => device.close());

  const range = (first: bigint, pages: bigint) => ({ start: first, last: first + pages * 4096n - 1n });

  it('is started for ranges, asked, and stopped', () => {
    assert.equal(logging.start([range(0n, 16n), range(0x10_0000n, 1n)]), 4096);
    const bitmap = logging.report(0n, 100 * 4096);
    assert.deepEqual(bitmap, new BigUint64Array(2), 'a bit for each of 100 pages, none written');
    logging.stop();
    covers(
      'VFIO_DEVICE_FEATURE_DMA_LOGGING_START',
      'VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT',
      'VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP',
    );
  });

  it('takes other page sizes', () => {
    assert.equal(logging.start([{ start: 0n, last: 2n ** 30n - 1n }], 2 ** 21), 2 ** 21);
    assert.equal(logging.report(0n, 2 ** 30, 2 ** 21).length, 8);
    logging.stop();
  });

  it('takes 256 ranges, and says when there are more', () => {
    const ranges = Array.from({ length: 257 }, (_, i) => range(BigInt(i) * 0x1_0000n, 1n));
    logging.start(ranges.slice(0, 256));
    logging.stop();
    assert.throws(() => logging.start(ranges), { code: 'E2BIG', syscall: 'VFIO_DEVICE_FEATURE' });
  });

  it('sees the ranges as they were given', () => {
    const invalid = { code: 'EINVAL', message: /^Setting DmaLoggingStart of / };
    assert.throws(() => logging.start([range(0n, 2n), range(4096n, 1n)]), invalid, 'overlapping');
    assert.throws(() => logging.start([{ start: 0n, last: 4096n }]), invalid, 'one byte of a page');
    assert.throws(() => logging.start([range(4096n, 2n)], 8192), invalid, 'not on a page of that size');
    assert.throws(() => logging.start([{ start: 0xffff_ffff_ffff_f000n, last: 0xffff_ffff_ffff_ffffn }]), {
      code: 'EOVERFLOW',
    });
    const tooSmall = { code: 'EINVAL', message: /^Getting DmaLoggingReport of / };
    assert.throws(() => logging.report(0n, 4096, 2048), tooSmall, 'pages of 2 KiB');
    assert.throws(() => logging.report(0xffff_ffff_ffff_f000n, 4096), { code: 'EOVERFLOW' });
  });

  it('checks its arguments', () => {
    const wrongType = (message: RegExp) => ({ code: 'ERR_INVALID_ARG_TYPE', message });
    const outOfRange = (message: RegExp) => ({ code: 'ERR_OUT_OF_RANGE', message });
    for (const ranges of [[], {}, undefined, 1])
      assert.throws(() => logging.start(ranges as never), wrongType(/^ranges must be/));
    for (const one of [undefined, null, {}, { start: '0', last: 1n }])
      assert.throws(() => logging.start([one as never]), wrongType(/^ranges\[0\]\.start must be/));
    assert.throws(
      () => logging.start([{ start: 4096n, last: 0n }]),
      outOfRange(/^ranges\[0\]\.last must be/),
    );
    for (const pageSize of [0, 3, -4096, 2 ** 41])
      assert.throws(() => logging.start([range(0n, 1n)], pageSize), { message: /^pageSize must be/ });
    assert.throws(() => logging.report('0' as never, 4096), wrongType(/^iova must be/));
    for (const length of [0, -1, 1.5])
      assert.throws(() => logging.report(0n, length), outOfRange(/^length must/));
  });

  it('is closed with its device', async () => {
    await device.close();
    assert.throws(() => logging.start([range(0n, 1n)]), { code: 'ERR_VFIO_CLOSED' });
    assert.throws(() => logging.report(0n, 4096), { code: 'ERR_VFIO_CLOSED' });
    assert.throws(() => logging.stop(), { code: 'ERR_VFIO_CLOSED' });
  });
});
