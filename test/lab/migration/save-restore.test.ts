import assert from 'node:assert/strict';
import { Device } from 'vfio';
import { covers } from '../../support/covers';
import { needs } from '../../support/needs';
import { mediated } from '../support/mdev';
import { restore, save, Uart } from '../support/mtty';
import { labSuite } from '../support/suite';

labSuite('migration: saving and restoring', () => {
  needs({ profile: 'mdev' });
  const [from, to, small] = mediated('mtty-2', 'mtty-2', 'mtty-1');
  let source: Device;
  let target: Device;
  before(async () => {
    source = await Device.open(from);
    target = await Device.open(to);
  });
  after(async () => {
    await source.close();
    await target.close();
  });
  beforeEach(async () => {
    await source.reset();
    await target.reset();
  });

  /** Makes the two ports of a card differ from each other and from those of a fresh one. */
  function scribble(device: Device): void {
    device.bar(0).write8(Uart.SCRATCH, 0x5a);
    device.bar(1).write8(Uart.SCRATCH, 0xa5);
    device.bar(0).write8(Uart.LCR, 3);
  }
  const scratches = (device: Device): number[] => [0, 1].map(bar => device.bar(bar).read8(Uart.SCRATCH));

  it('carries the state of one device into another', async () => {
    scribble(source);
    assert.deepEqual(scratches(target), [0, 0]);
    const state = await save(source);
    assert.equal(BigInt(state.length), source.features.migration.dataSize());
    await restore(target, state);
    assert.equal(target.features.migration.state, 'running');
    assert.deepEqual(scratches(target), [0x5a, 0xa5]);
    assert.equal(target.bar(0).read8(Uart.LCR), 3);
    assert.deepEqual(await save(target), state, 'what was restored is what was saved');
    covers('VFIO_DEVICE_STATE_STOP_COPY', 'VFIO_DEVICE_STATE_RESUMING', 'VFIO_DEVICE_STATE_RUNNING');
  });

  it('takes and gives the stream in pieces of any size', async () => {
    const { migration } = source.features;
    const stream = await migration.setState('stop-copy');
    assert(stream !== undefined);
    const pieces: Uint8Array[] = [];
    for (let piece = await stream.read(7); piece.length > 0; piece = await stream.read(7)) {
      assert(piece.length <= 7);
      pieces.push(piece);
    }
    assert.equal(pieces.length, Math.ceil(Number(migration.dataSize()) / 7));
    assert.equal((await stream.read()).length, 0, 'the end stays the end');
    stream.close();

    const sink = await target.features.migration.setState('resuming');
    assert(sink !== undefined);
    for (const piece of pieces) await sink.write(piece);
    await target.features.migration.setState('stop');
    assert.equal(target.features.migration.state, 'stop');
    sink.close();
  });

  it('does not stop resuming before the state is whole, and says so', async () => {
    const state = await save(source);
    const { migration } = target.features;
    const sink = await migration.setState('resuming');
    assert(sink !== undefined);
    await sink.write(state.subarray(0, state.length - 1));
    await assert.rejects(migration.setState('running'), {
      code: 'EINVAL',
      message: /did not get into state 'running': it is in 'resuming'.*no whole state of such a device/,
    });
    await sink.write(state.subarray(state.length - 1));
    await migration.setState('running');
    assert.equal(migration.state, 'running');
    sink.close();
  });

  it("refuses what another kind of device's state is", async () => {
    const state = await save(source);
    const other = await Device.open(small);
    try {
      const sink = await other.features.migration.setState('resuming');
      assert(sink !== undefined);
      await assert.rejects(sink.write(state), { code: 'ENOMEM', syscall: 'write' }, 'two ports into one');
      await assert.rejects(sink.write(state.subarray(0, 24)), { code: 'EFAULT', syscall: 'write' });
      sink.close();
      await other.reset();
    } finally {
      await other.close();
    }
  });

  it('gives a stream that ends with the state it belongs to', async () => {
    const { migration } = source.features;
    const stream = await migration.setState('stop-copy');
    assert(stream !== undefined);
    await migration.setState('running');
    await assert.rejects(stream.read(), { code: 'ENODEV', syscall: 'read' });
    stream.close();
    const sink = await migration.setState('resuming');
    assert(sink !== undefined);
    await source.reset();
    await assert.rejects(sink.write(new Uint8Array(8)), { code: 'ENODEV', syscall: 'write' });
    sink.close();
  });

  it('gives a stream that is read or written, not both', async () => {
    const stream = await source.features.migration.setState('stop-copy');
    assert(stream !== undefined);
    await assert.rejects(stream.write(new Uint8Array(1)), { code: 'EBADF', syscall: 'write' });
    stream.close();
    const sink = await target.features.migration.setState('resuming');
    assert(sink !== undefined);
    await assert.rejects(sink.read(), { code: 'EBADF', syscall: 'read' });
    sink.close();
  });

  it('outlives the device it came from, without its bytes', async () => {
    const device = await Device.open(small);
    const stream = await device.features.migration.setState('stop-copy');
    assert(stream !== undefined);
    await device.close();
    await assert.rejects(stream.read(), { code: 'ENODEV' });
    stream.close();
    const again = await Device.open(small);
    await again.reset();
    await again.close();
  });

  it('refuses everything after the stream was closed', async () => {
    const stream = await source.features.migration.setState('stop-copy');
    assert(stream !== undefined);
    assert(stream.fd > 2);
    stream.close();
    stream.close();
    assert.equal(stream.closed, true);
    const closed = { code: 'ERR_VFIO_CLOSED', message: 'The migration stream is closed' };
    await assert.rejects(stream.read(), closed);
    await assert.rejects(stream.write(new Uint8Array(1)), closed);
    assert.throws(() => stream.fd, closed);
    assert.throws(() => stream.precopyInfo(), closed);
  });

  it('checks its arguments', async () => {
    const stream = await source.features.migration.setState('stop-copy');
    assert(stream !== undefined);
    for (const bad of [0, -1, 1.5, NaN, 2 ** 31]) {
      await assert.rejects(stream.read(bad), { code: 'ERR_OUT_OF_RANGE', message: /maxBytes/ });
    }
    await assert.rejects(stream.read('1' as never), { code: 'ERR_INVALID_ARG_TYPE', message: /maxBytes/ });
    await assert.rejects(stream.write([1] as never), { code: 'ERR_INVALID_ARG_TYPE', message: /data/ });
    stream.close();
  });
});
