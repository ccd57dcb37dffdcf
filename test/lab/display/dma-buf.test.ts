import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { Device } from 'vfio';
import { covers } from '../../support/covers';
import { needs } from '../../support/needs';
import { mediated } from '../support/mdev';
import { labSuite } from '../support/suite';

/** Where the registers of the Bochs display interface lie in BAR2, and two of their numbers. */
const DISPI = 0x500;
const Dispi = { XRES: 1, YRES: 2, BPP: 3, ENABLE: 4 } as const;
const XRGB8888 = 0x3432_5258;
const width = 320;

labSuite('display: planes in dma-bufs', () => {
  needs({ profile: 'mdev' });
  const [address] = mediated('mbochs-small');
  let device: Device;
  before(async () => {
    device = await Device.open(address);
  });
  after(() => device.close());

  /**
   * Every mode is asked for its dma-buf once only: when the driver hands out one a second time, after the first was closed,
   * it gives its pages back twice, and the kernel dies of that later.
   */
  function show(height: number): void {
    const set = (register: number, value: number): void => device.bar(2).write16(DISPI + register * 2, value);
    set(Dispi.XRES, width);
    set(Dispi.YRES, height);
    set(Dispi.BPP, 32);
    set(Dispi.ENABLE, height > 0 ? 1 : 0);
  }

  /** The driver makes a dma-buf for a mode when it is first asked about it, and answers only when asked again. */
  function plane(): ReturnType<Device['display']['plane']> {
    try {
      return device.display.plane({ via: 'dma-buf' });
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOMEM');
      return device.display.plane({ via: 'dma-buf' });
    }
  }

  it('is there by dma-buf, and not by region', () => {
    assert.equal(device.display.supports('dma-buf'), true);
    assert.equal(device.display.supports('region'), false);
    assert.throws(() => device.display.plane({ via: 'region' }), {
      code: 'ERR_VFIO_UNSUPPORTED',
      message: `${address} has no display that is reached by region`,
    });
    covers('VFIO_GFX_PLANE_TYPE_PROBE');
  });

  it('has no format and no size while nothing is shown', () => {
    show(0);
    const { format, width, height, size, dmaBufId } = device.display.plane({ via: 'dma-buf' });
    assert.deepEqual([format, width, height, size, dmaBufId], [0, 0, 0, 0, 0]);
    const cursor = device.display.plane({ via: 'dma-buf', plane: 'cursor' });
    assert.deepEqual([cursor.format, cursor.size], [0, 0]);
    covers('VFIO_DEVICE_QUERY_GFX_PLANE', 'VFIO_GFX_PLANE_TYPE_DMABUF');
  });

  it('says what is shown', () => {
    const height = 200;
    show(height);
    const shown = plane();
    assert.deepEqual(
      [shown.format, shown.width, shown.height, shown.stride, shown.size, shown.region],
      [XRGB8888, width, height, width * 4, width * 4 * height, undefined],
    );
    assert.equal(typeof shown.dmaBufId, 'number');
    assert.equal(plane().dmaBufId, shown.dmaBufId, 'the same as long as the mode is');
    covers('VFIO_GFX_PLANE_TYPE_DMABUF');
  });

  it('gives a dma-buf of the size of the plane, for another process too', () => {
    const height = 112;
    show(height);
    const { dmaBufId, size } = plane();
    using dmaBuf = device.display.dmaBuf(dmaBufId as number);
    assert.match(dmaBufFile(dmaBuf.fd), /dmabuf/);
    // Its pixels are for devices: the driver opens it read-only and lets it be mapped only for writing.
    const { status, stdout } = spawnSync('cat', ['/proc/self/fdinfo/3'], {
      stdio: ['ignore', 'pipe', 'inherit', dmaBuf.fd],
      encoding: 'utf8',
    });
    assert.equal(status, 0);
    assert.match(stdout, /^exp_name:\tmbochs$/m);
    assert.equal(/^size:\t(\d+)$/m.exec(stdout)?.[1], String(size));
    assert.equal(size, width * height * 4);
    covers('VFIO_DEVICE_GET_GFX_DMABUF');
  });

  it('gives a dma-buf that outlives its device, and is closed once', async () => {
    show(120);
    const dmaBuf = device.display.dmaBuf(plane().dmaBufId as number);
    await device.close();
    assert.match(dmaBufFile(dmaBuf.fd), /dmabuf/);
    assert.equal(dmaBuf.closed, false);
    dmaBuf.close();
    dmaBuf.close();
    assert.equal(dmaBuf.closed, true);
    assert.throws(() => dmaBuf.fd, { code: 'ERR_VFIO_CLOSED', message: 'The dma-buf is closed' });
    assert.throws(() => device.display.supports('dma-buf'), { code: 'ERR_VFIO_CLOSED' });
    assert.throws(() => device.display.plane({ via: 'dma-buf' }), { code: 'ERR_VFIO_CLOSED' });
    assert.throws(() => device.display.dmaBuf(1), { code: 'ERR_VFIO_CLOSED' });
    device = await Device.open(address);
  });

  it('knows no dma-buf but its own', () => {
    assert.throws(() => device.display.dmaBuf(4711), {
      code: 'ENOENT',
      syscall: 'VFIO_DEVICE_GET_GFX_DMABUF',
    });
  });
});

function dmaBufFile(fd: number): string {
  return fs.readlinkSync(`/proc/self/fd/${fd}`);
}
