import assert from 'node:assert/strict';
import { Device, Feature } from 'vfio';
import { kernelHas } from '../../../lab/kernel-features';
import { covers, refusal } from '../../support/covers';
import { needs } from '../../support/needs';
import { mediated } from '../support/mdev';
import { drain, HEADER_BYTES, restore, Uart } from '../support/mtty';
import { labSuite } from '../support/suite';

labSuite('migration: pre-copy', () => {
  needs({ profile: 'mdev' });
  const [from, to] = mediated('mtty-1', 'mtty-1');
  let device: Device;
  beforeEach(async () => {
    device = await Device.open(from);
    device.bar(0).write8(Uart.SCRATCH, 0x42);
  });
  afterEach(async () => {
    await device.reset();
    await device.close();
  });

  it('saves a part while the device runs, and the rest by the same stream', async () => {
    const { migration } = device.features;
    const stream = await migration.setState('pre-copy');
    assert(stream !== undefined);
    assert.deepEqual(stream.precopyInfo(), {
      initial: BigInt(HEADER_BYTES),
      dirty: 0n,
      reinitialized: false,
    });
    const early = await drain(stream);
    assert.equal(early.length, HEADER_BYTES);
    assert.deepEqual(stream.precopyInfo(), { initial: 0n, dirty: 0n, reinitialized: false });
    device.bar(0).write8(Uart.SCRATCH, 0x43);
    assert.equal(device.bar(0).read8(Uart.SCRATCH), 0x43, 'it still runs');

    assert.equal(await migration.setState('stop-copy'), undefined, 'no second stream');
    const late = await drain(stream);
    assert.equal(early.length + late.length, Number(migration.dataSize()));
    stream.close();

    const target = await Device.open(to);
    await restore(target, Buffer.concat([early, late]));
    assert.equal(target.bar(0).read8(Uart.SCRATCH), 0x43);
    await target.close();
    covers('VFIO_DEVICE_STATE_PRE_COPY', 'VFIO_MIG_GET_PRECOPY_INFO', 'VFIO_DEVICE_STATE_STOP_COPY');
  });

  it('can be given up', async () => {
    const { migration } = device.features;
    const stream = await migration.setState('pre-copy');
    assert(stream !== undefined);
    await migration.setState('running');
    await assert.rejects(stream.read(), { code: 'ENODEV' });
    stream.close();
    assert.equal(device.bar(0).read8(Uart.SCRATCH), 0x42);
  });

  it('has nothing to tell outside of pre-copy', async () => {
    const stream = await device.features.migration.setState('stop-copy');
    assert(stream !== undefined);
    assert.throws(() => stream.precopyInfo(), { code: 'EINVAL', syscall: 'VFIO_MIG_GET_PRECOPY_INFO' });
    stream.close();
  });

  it('is told that the user knows of new initial data, where the kernel does', async () => {
    const { migration } = device.features;
    if (kernelHas('precopyInfoV2')) {
      assert(device.features.has(Feature.MigrationPrecopyInfoV2));
      migration.enablePrecopyInfoV2();
      covers('VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2');
    } else {
      assert.throws(() => migration.enablePrecopyInfoV2(), {
        code: 'ERR_VFIO_UNSUPPORTED',
        message: /this kernel is 6\.\d+.*, and MigrationPrecopyInfoV2 came with 7\.1/,
      });
      refusal('VFIO_DEVICE_FEATURE_MIG_PRECOPY_INFOv2');
    }
    const stream = await migration.setState('pre-copy');
    assert(stream !== undefined);
    assert.equal(stream.precopyInfo().reinitialized, false, 'mtty never starts over');
    refusal('VFIO_PRECOPY_INFO_REINIT');
    stream.close();
  });
});
