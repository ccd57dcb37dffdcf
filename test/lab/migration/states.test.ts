import assert from 'node:assert/strict';
import { Device, type MigrationState, migrationStates } from 'vfio';
import { covers, refusal } from '../../support/covers';
import { needs } from '../../support/needs';
import { mediated } from '../support/mdev';
import { labSuite } from '../support/suite';

labSuite('migration: states', () => {
  needs({ profile: 'mdev' });
  const [address] = mediated('mtty-1');
  let device: Device;
  beforeEach(async () => {
    device = await Device.open(address);
  });
  afterEach(async () => {
    // The driver keeps the state over a close.
    await device.reset();
    await device.close();
  });

  it('says what the device can', () => {
    assert.deepEqual(device.features.migration.flags, { stopCopy: true, p2p: true, preCopy: true });
    covers(
      'VFIO_DEVICE_FEATURE_MIGRATION',
      'VFIO_MIGRATION_STOP_COPY',
      'VFIO_MIGRATION_P2P',
      'VFIO_MIGRATION_PRE_COPY',
    );
  });

  it('says how much there will be to save', () => {
    assert.equal(device.features.migration.dataSize(), 60n);
    covers('VFIO_DEVICE_FEATURE_MIG_DATA_SIZE');
  });

  it('starts running', () => {
    assert.equal(device.features.migration.state, 'running');
    covers('VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE', 'VFIO_DEVICE_STATE_RUNNING');
  });

  it('goes where it is told, by the states in between', async () => {
    const { migration } = device.features;
    const withStream: MigrationState[] = ['stop-copy', 'resuming', 'pre-copy', 'pre-copy-p2p'];
    for (const state of [
      'stop',
      'running-p2p',
      'running',
      'stop',
      'stop-copy',
      'running',
      'pre-copy',
    ] as const) {
      const stream = await migration.setState(state);
      assert.equal(migration.state, state);
      assert.equal(stream !== undefined, withStream.includes(state), state);
      stream?.close();
    }
    assert.equal(await migration.setState('pre-copy-p2p'), undefined);
    assert.equal(migration.state, 'pre-copy-p2p');
    await migration.setState('running');
    covers(
      'VFIO_DEVICE_STATE_STOP',
      'VFIO_DEVICE_STATE_RUNNING_P2P',
      'VFIO_DEVICE_STATE_RUNNING',
      'VFIO_DEVICE_STATE_STOP_COPY',
      'VFIO_DEVICE_STATE_PRE_COPY',
      'VFIO_DEVICE_STATE_PRE_COPY_P2P',
    );
  });

  it('stays where it is when told so', async () => {
    assert.equal(await device.features.migration.setState('running'), undefined);
    assert.equal(device.features.migration.state, 'running');
  });

  it('does not go into error because it is asked to', async () => {
    await assert.rejects(device.features.migration.setState('error'), {
      code: 'EINVAL',
      syscall: 'VFIO_DEVICE_FEATURE',
      message: /did not get into state 'error': it is in 'running'.*no way leads there/,
    });
    refusal('VFIO_DEVICE_STATE_ERROR');
  });

  it('is running again after a reset, whatever it was in', async () => {
    const { migration } = device.features;
    for (const state of ['stop', 'stop-copy', 'resuming', 'pre-copy'] as const) {
      const stream = await migration.setState(state);
      await device.reset();
      assert.equal(migration.state, 'running', `after a reset in ${state}`);
      stream?.close();
    }
    covers('VFIO_DEVICE_RESET');
  });

  it('keeps its state when it is closed: a reset, not an open, makes it run again', async () => {
    await device.features.migration.setState('stop');
    await device.close();
    device = await Device.open(address);
    assert.equal(device.features.migration.state, 'stop');
  });

  it('refuses what is no state', async () => {
    const { migration } = device.features;
    const states = migrationStates.join(', ');
    await assert.rejects(migration.setState('halted' as MigrationState), {
      code: 'ERR_INVALID_ARG_VALUE',
      message: `state must be one of ${states}; got 'halted'`,
    });
    await assert.rejects(migration.setState(2 as never), { code: 'ERR_INVALID_ARG_TYPE' });
  });

  it('is closed with its device', async () => {
    const { migration } = device.features;
    await device.close();
    await assert.rejects(migration.setState('stop'), { code: 'ERR_VFIO_CLOSED' });
    assert.throws(() => migration.state, { code: 'ERR_VFIO_CLOSED' });
    assert.throws(() => migration.flags, { code: 'ERR_VFIO_CLOSED' });
    assert.throws(() => migration.dataSize(), { code: 'ERR_VFIO_CLOSED' });
    device = await Device.open(address);
  });
});
