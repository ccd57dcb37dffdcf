import assert from 'node:assert/strict';
import { Device, Feature } from 'vfio';
import { devices } from '../../../lab/devices';
import { kernelHas } from '../../../lab/kernel-features';
import { covers, refusal } from '../../support/covers';
import { needs } from '../../support/needs';
import { bound } from '../support/bound';
import { mediated } from '../support/mdev';
import { labSuite } from '../support/suite';

/** What a device of vfio-pci has, by the kernel. */
function ofPci(): object[] {
  return [
    { id: 3, name: 'LowPowerEntry', get: false, set: true },
    { id: 4, name: 'LowPowerEntryWithWakeup', get: false, set: true },
    { id: 5, name: 'LowPowerExit', get: false, set: true },
    ...(kernelHas('barDmaBuf') ? [{ id: 11, name: 'DmaBuf', get: true, set: false }] : []),
  ];
}

labSuite('features of PCI devices', () => {
  const addresses = [devices.nicA, devices.nvme, devices.edu, devices.testdev];
  needs({ iommu: true, devices: addresses });
  bound(...addresses);

  for (const address of addresses) {
    it(`of ${address} are listed`, async () => {
      await using device = await Device.open(address);
      assert.deepEqual(device.features.list(), ofPci());
      covers('VFIO_DEVICE_FEATURE', 'VFIO_DEVICE_FEATURE_PROBE');
    });
  }

  it('are asked for one by one, unknown numbers too', async () => {
    await using device = await Device.open(devices.edu);
    const { features } = device;
    assert.equal(features.has(Feature.LowPowerEntry), true);
    assert.equal(features.has(Feature.Migration), false);
    for (const id of [13, 31, 4711, 0xffff]) assert.equal(features.has(id), false);
    assert.equal(features.has(Feature.DmaBuf), kernelHas('barDmaBuf'));
  });

  it('are not there where the device or the kernel has none, and that is said', async () => {
    await using device = await Device.open(devices.edu);
    const { features } = device;
    const lacks = (message: string) => ({ code: 'ERR_VFIO_UNSUPPORTED', address: undefined, message });
    assert.throws(() => features.migration, lacks(`${devices.edu} cannot be migrated`));
    assert.throws(() => features.dmaLogging, lacks(`${devices.edu} does not log its DMA`));
    assert.throws(
      () => features.setVfToken('2ab74924-c335-45f4-9b16-8569e5b08258'),
      lacks(`${devices.edu} has no virtual functions that a token could guard`),
    );
    for (const on of [true, false]) {
      assert.throws(() => features.setBusMaster(on), {
        code: 'ERR_VFIO_UNSUPPORTED',
        message: new RegExp(`^${devices.edu} has no bus mastering outside of its config space`),
      });
    }
    refusal(
      'VFIO_DEVICE_FEATURE_MIGRATION',
      'VFIO_DEVICE_FEATURE_DMA_LOGGING_START',
      'VFIO_DEVICE_FEATURE_PCI_VF_TOKEN',
      'VFIO_DEVICE_FEATURE_BUS_MASTER',
    );
  });

  it('are read and written raw, and refused with the name of the feature', async () => {
    await using device = await Device.open(devices.edu);
    const { features } = device;
    features.set(Feature.LowPowerExit, new Uint8Array(0));
    covers('VFIO_DEVICE_FEATURE_SET', 'VFIO_DEVICE_FEATURE_LOW_POWER_EXIT');
    assert.throws(() => features.get(Feature.LowPowerEntry, new Uint8Array(0)), {
      code: 'EINVAL',
      syscall: 'VFIO_DEVICE_FEATURE',
      message: new RegExp(`^Getting LowPowerEntry of ${devices.edu} failed`),
    });
    assert.throws(() => features.get(Feature.MigrationDeviceState, new Uint8Array(8)), {
      code: 'ENOTTY',
      message: /^Getting MigrationDeviceState of /,
    });
    assert.throws(() => features.set(4711, new Uint8Array(0)), {
      code: 'ENOTTY',
      message: /^Setting feature 0x1267 of /,
    });
  });

  it('are not taken raw when bytes would be addresses, or the answer a file', async () => {
    await using device = await Device.open(devices.edu);
    const { features } = device;
    const { DmaLoggingStart, DmaLoggingReport, DmaBuf, ZpciError } = Feature;
    for (const id of [DmaLoggingStart, DmaLoggingReport, DmaBuf, ZpciError]) {
      const refused = { code: 'ERR_VFIO_UNSUPPORTED', message: /is not for raw bytes/ };
      assert.throws(() => features.get(id, new Uint8Array(24)), refused);
      assert.throws(() => features.set(id, new Uint8Array(24)), refused);
    }
    assert.equal(features.has(ZpciError), false);
    refusal('VFIO_DEVICE_FEATURE_ZPCI_ERROR');
  });

  it('check their arguments', async () => {
    await using device = await Device.open(devices.edu);
    const { features } = device;
    const empty = new Uint8Array(0);
    for (const bad of [-1, 0x1_0000, 1.5, NaN]) {
      const outOfRange = { code: 'ERR_OUT_OF_RANGE', message: /^id must be an integer from 0 to 65535/ };
      assert.throws(() => features.has(bad), outOfRange);
      assert.throws(() => features.get(bad, empty), outOfRange);
      assert.throws(() => features.set(bad, empty), outOfRange);
    }
    const wrongType = (message: RegExp) => ({ code: 'ERR_INVALID_ARG_TYPE', message });
    assert.throws(() => features.has('0' as never), wrongType(/^id must be/));
    assert.throws(() => features.get(1, [] as never), wrongType(/^payload must be/));
    assert.throws(() => features.set(1, 'x' as never), wrongType(/^payload must be/));
    assert.throws(() => features.setBusMaster(1 as never), wrongType(/^on must be/));
    assert.throws(() => features.setVfToken(7 as never), wrongType(/^token must be/));
    assert.throws(() => features.setVfToken('secret'), {
      code: 'ERR_INVALID_ARG_VALUE',
      message: /^token must be a UUID/,
    });
  });

  it('are closed with their device', async () => {
    const device = await Device.open(devices.edu);
    const { features } = device;
    await device.close();
    const closed = { code: 'ERR_VFIO_CLOSED' };
    assert.throws(() => features.list(), closed);
    assert.throws(() => features.has(0), closed);
    assert.throws(() => features.get(0, new Uint8Array(0)), closed);
    assert.throws(() => features.set(0, new Uint8Array(0)), closed);
    assert.throws(() => features.migration, closed);
    assert.throws(() => features.lowPower, closed);
    assert.throws(() => features.dmaLogging, closed);
  });
});

labSuite('features of mediated devices', () => {
  needs({ profile: 'mdev' });
  const [mtty, mdpy, mbochs] = mediated('mtty-1', 'mdpy-vga', 'mbochs-small');

  it('are those of migration and DMA logging for mtty', async () => {
    await using device = await Device.open(mtty);
    assert.deepEqual(device.features.list(), [
      { id: 1, name: 'Migration', get: true, set: false },
      { id: 2, name: 'MigrationDeviceState', get: true, set: true },
      { id: 6, name: 'DmaLoggingStart', get: false, set: true },
      { id: 7, name: 'DmaLoggingStop', get: false, set: true },
      { id: 8, name: 'DmaLoggingReport', get: true, set: false },
      { id: 9, name: 'MigrationDataSize', get: true, set: false },
      ...(kernelHas('precopyInfoV2')
        ? [{ id: 12, name: 'MigrationPrecopyInfoV2', get: false, set: true }]
        : []),
    ]);
    covers('VFIO_DEVICE_FEATURE', 'VFIO_DEVICE_FEATURE_PROBE');
  });

  it('can be read raw', async () => {
    await using device = await Device.open(mtty);
    const answer = device.features.get(Feature.MigrationDeviceState, new Uint8Array(8));
    assert.deepEqual([...new Int32Array(answer.buffer, answer.byteOffset, 2)], [2, -1], 'running, no stream');
    covers('VFIO_DEVICE_FEATURE_GET');
    assert.throws(() => device.features.get(Feature.MigrationDeviceState, new Uint8Array(4)), {
      code: 'EINVAL',
      message: /^Getting MigrationDeviceState of /,
    });
  });

  it('are none for displays', async () => {
    for (const address of [mdpy, mbochs]) {
      await using device = await Device.open(address);
      assert.deepEqual(device.features.list(), []);
      assert.throws(() => device.features.lowPower, {
        code: 'ERR_VFIO_UNSUPPORTED',
        message: `${address} cannot be put to sleep`,
      });
    }
  });
});

labSuite('features of a device without an IOMMU', () => {
  needs({ profile: 'no-iommu', devices: [devices.edu] });

  it('are the same', async () => {
    await using device = await Device.open(devices.edu, { bind: true, noIommu: true });
    assert.deepEqual(device.features.list(), ofPci());
  });
});
