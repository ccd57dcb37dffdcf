import assert from 'node:assert/strict';
import { Container, Device } from 'vfio';
import { devices } from '../../../lab/devices';
import { bound } from '../support/bound';
import { Edu } from '../support/edu';
import { held } from '../support/held';
import { labSuite } from '../support/suite';
import { driverOf } from '../support/sysfs';

labSuite('Device.open refuses', () => {
  bound(devices.edu);

  /** Both ways in give the same error, and leave nothing open. */
  async function refuses(
    address: string,
    options: Parameters<typeof Device.open>[1],
    expected: object,
  ): Promise<void> {
    const before = held();
    assert.throws(() => Device.openSync(address, options), expected);
    await assert.rejects(Device.open(address, options), expected);
    assert.deepEqual(held(), before);
  }

  it('a device that is still on its kernel driver, and says how to bind it', async () => {
    await refuses(devices.nicA, undefined, {
      name: 'VfioError',
      code: 'ERR_VFIO_NOT_BOUND',
      address: devices.nicA,
      likelyCause: 'it is on driver e1000e',
      message: /\{ bind: true \}.*driver_override; echo 0000:01:00\.0 > .*e1000e\/unbind; .*drivers_probe/,
    });
    assert.equal(driverOf(devices.nicA), 'e1000e');
  });

  it('a device without a driver, and says how to bind it', async () => {
    await refuses(
      devices.testdev,
      { bind: false },
      {
        code: 'ERR_VFIO_NOT_BOUND',
        likelyCause: 'it has no driver',
        message: /\{ bind: true \}.*driver_override; echo 0000:05:00\.0 > .*drivers_probe/,
      },
    );
  });

  it('a device that does not exist, and says what there is', async () => {
    const missing = { code: 'ERR_VFIO_NO_DEVICE', address: '0000:04:00.7' };
    await refuses('04:00.7', undefined, { ...missing, message: /on that bus there are 0000:04:00\.0/ });
    await refuses('04:00.7', { bind: true }, missing);
    await refuses('0000:7f:00.0', undefined, {
      code: 'ERR_VFIO_NO_DEVICE',
      message: /0000:7f has no devices/,
    });
  });

  it('what is not a PCI address', async () => {
    for (const address of [
      '',
      '4:0.0',
      '0000:04:00',
      '0000:04:20.0',
      '0000:04:00.8',
      'eth0',
      '/dev/vfio/14',
    ]) {
      await refuses(address, undefined, {
        name: 'TypeError',
        code: 'ERR_INVALID_ARG_VALUE',
        message: /address/,
      });
    }
  });

  it('a bridge, which no driver for userspace takes', async () => {
    const driver = driverOf(devices.bridge);
    await refuses(devices.bridge, { bind: true }, { code: 'ERR_VFIO_NOT_BOUND', message: /did not take it/ });
    assert.equal(driverOf(devices.bridge), driver);
  });

  it('misspelt and mistyped options', async () => {
    await refuses(devices.edu, { binds: true } as object, {
      code: 'ERR_UNKNOWN_OPTION',
      message: /no option 'binds'; did you mean 'bind'\?/,
    });
    await refuses(devices.edu, { bind: 1 } as object, {
      code: 'ERR_INVALID_ARG_TYPE',
      message: /options\.bind/,
    });
    await refuses(devices.edu, { container: {} } as object, {
      code: 'ERR_INVALID_ARG_TYPE',
      message: /options\.container must be a Container/,
    });
    await refuses(devices.edu, null as unknown as object, {
      code: 'ERR_INVALID_ARG_TYPE',
      message: /^options/,
    });
  });

  it('a container that is closed', async () => {
    const container = Container.open();
    container.close();
    await refuses(devices.edu, { container }, { code: 'ERR_VFIO_CLOSED', message: /container is closed/ });
  });

  it('a device that this process has open, and leaves that one alone', async () => {
    await using device = await Device.open(devices.edu);
    device.enableBusMaster();
    await refuses(devices.edu, undefined, {
      code: 'ERR_VFIO_BUSY',
      message: /0000:04:00\.0 is open already in this process/,
    });
    assert.equal(device.config.busMaster, true);
    assert.equal(device.bar(0).read32(Edu.ID), 0x0100_00ed);
  });

  it('a device that this process is opening', async () => {
    const [first, second] = await Promise.allSettled([Device.open(devices.edu), Device.open(devices.edu)]);
    assert.equal(first.status, 'fulfilled');
    assert.equal(second.status, 'rejected');
    assert.match(String(second.reason), /open already in this process/);
    await first.value.close();
  });
});
