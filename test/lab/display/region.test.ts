import assert from 'node:assert/strict';
import { Device, type DisplayPlane } from 'vfio';
import { covers, refusal } from '../../support/covers';
import { needs } from '../../support/needs';
import { mediated } from '../support/mdev';
import { labSuite } from '../support/suite';

/** XR24: 32 bits a pixel, the highest eight unused. */
const XRGB8888 = 0x3432_5258;

labSuite('display: planes in a region', () => {
  needs({ profile: 'mdev' });
  const [address] = mediated('mdpy-vga');
  let device: Device;
  before(async () => {
    device = await Device.open(address);
  });
  after(() => device.close());

  it('is there by region, and not by dma-buf', () => {
    assert.equal(device.display.supports('region'), true);
    assert.equal(device.display.supports('dma-buf'), false);
    covers('VFIO_GFX_PLANE_TYPE_PROBE');
  });

  it('says what is shown', () => {
    const { region, ...plane } = device.display.plane({ via: 'region' });
    assert.deepEqual(plane, {
      format: XRGB8888,
      formatModifier: 0n,
      width: 640,
      height: 480,
      stride: 640 * 4,
      size: 2 * 2 ** 20,
      x: 0,
      y: 0,
      hotX: 0,
      hotY: 0,
      dmaBufId: undefined,
    } satisfies Omit<DisplayPlane, 'region'>);
    assert.equal(region?.index, 16, 'one that the device does not count among its regions');
    assert.equal(device.regions.length, 9);
    covers('VFIO_DEVICE_QUERY_GFX_PLANE', 'VFIO_GFX_PLANE_TYPE_REGION');
  });

  it('shows its pixels, by memory and by the file', async () => {
    await device.reset();
    const { region, stride, height } = device.display.plane({ via: 'region' });
    assert(region !== undefined);
    using pixels = region.map();
    // After a reset a grey gradient, darker at the top: all bytes of a line are the same.
    const grey = (line: number): number => Math.floor((line * 255) / height) * 0x0101_0101;
    for (const line of [0, 1, 240, height - 1]) {
      assert.equal(pixels.read32(line * stride), grey(line), `line ${line}`);
      assert.equal(pixels.read32(line * stride + stride - 4), grey(line), `end of line ${line}`);
    }
    pixels.write32(0, 0x00ff_8040);
    // The driver's own read knows only the first bytes.
    assert.equal(region.read32(0), 0x00ff_8040);
    assert.equal(device.bar(0).read32(0), 0x00ff_8040, 'the same memory as BAR0');
  });

  it('refuses what it has no other way for', () => {
    const unsupported = {
      code: 'ERR_VFIO_UNSUPPORTED',
      message: `${address} has no display that is reached by dma-buf`,
    };
    assert.throws(() => device.display.plane({ via: 'dma-buf' }), unsupported);
    assert.throws(() => device.display.dmaBuf(1), unsupported);
    refusal('VFIO_DEVICE_GET_GFX_DMABUF');
  });

  it('checks its arguments', () => {
    const { display } = device;
    const wrongVia = { code: 'ERR_INVALID_ARG_VALUE', message: /^via must be 'dma-buf' or 'region'/ };
    for (const via of ['dmabuf', 'probe', 1, undefined]) {
      assert.throws(() => display.supports(via as never), wrongVia);
      assert.throws(() => display.plane({ via: via as never }), wrongVia);
    }
    assert.throws(() => display.plane({ via: 'region', plane: 'overlay' as never }), {
      code: 'ERR_INVALID_ARG_VALUE',
      message: /query\.plane must be 'primary' or 'cursor'/,
    });
    assert.throws(() => display.plane({ via: 'region', plane: 'toString' as never }), {
      code: 'ERR_INVALID_ARG_VALUE',
    });
    assert.throws(() => display.plane({ via: 'region', by: 1 } as never), { code: 'ERR_UNKNOWN_OPTION' });
    assert.throws(() => display.plane('region' as never), { code: 'ERR_INVALID_ARG_TYPE' });
    for (const id of [-1, 1.5, 2 ** 32])
      assert.throws(() => display.dmaBuf(id), { code: 'ERR_OUT_OF_RANGE', message: /^id must be/ });
    assert.throws(() => display.dmaBuf('1' as never), { code: 'ERR_INVALID_ARG_TYPE' });
  });
});
