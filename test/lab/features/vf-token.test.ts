import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Device, Iommufd, type OpenOptions } from 'vfio';
import { devices } from '../../../lab/devices';
import { kernelHas } from '../../../lab/kernel-features';
import { covers, refusal } from '../../support/covers';
import { needs } from '../../support/needs';
import { bound } from '../support/bound';
import { physical, virtualFunctions } from '../support/sriov';
import { labSuite } from '../support/suite';

const token = '2ab74924-c335-45f4-9b16-8569e5b08258';
const other = '7f3e5c0a-0d6b-4f57-9d0c-3f6a2c1b4e88';

/** By the cdev the kernel asks for it, and takes it, since 6.17. */
const ways = (['group', 'cdev'] as const).filter(via => via === 'group' || kernelHas('bindToken'));

labSuite('VF tokens', () => {
  needs({ profile: 'sr-iov' });
  const virtual = virtualFunctions(2);

  async function open(address: string, options: OpenOptions): Promise<void> {
    await (await Device.open(address, options)).close();
  }

  for (const via of ways) {
    const call = via === 'group' ? 'VFIO_GROUP_GET_DEVICE_FD' : 'VFIO_DEVICE_BIND_IOMMUFD';
    const missing = {
      code: 'EACCES',
      syscall: call,
      errno: -13,
      message:
        /Likely cause: the device is a virtual function, or .* wants its VF token\. Try: \{ vfToken \}: the UUID/,
    };
    const wrong = {
      code: 'EACCES',
      syscall: call,
      message: /Likely cause: the VF token is not the one that the owner of the physical function has set/,
    };
    const proven = (): void => {
      if (via === 'cdev') covers('VFIO_DEVICE_BIND_FLAG_TOKEN');
      else covers('VFIO_GROUP_GET_DEVICE_FD');
    };

    describe(`by ${via}`, () => {
      let vf: string;
      before(() => (vf = virtual[0] as string));

      it('are asked for by a virtual function, even before anybody has set one', async () => {
        await assert.rejects(open(vf, { via }), missing);
        await assert.rejects(open(vf, { via, vfToken: randomUUID() }), wrong);
      });

      it('are set by the owner of the physical function, and known to that of a virtual one', async () => {
        await using owner = await Device.open(physical, { via });
        owner.features.setVfToken(token);
        await assert.rejects(open(vf, { via }), missing);
        await assert.rejects(open(vf, { via, vfToken: other }), wrong);
        await open(vf, { via, vfToken: token });
        await open(vf, { via, vfToken: token.toUpperCase() });
        covers('VFIO_DEVICE_FEATURE_PCI_VF_TOKEN');
        proven();
      });

      it('can be set on opening the physical function', async () => {
        await using owner = await Device.open(physical, { via, vfToken: other });
        await open(vf, { via, vfToken: other });
        await assert.rejects(open(vf, { via, vfToken: token }), wrong);
        assert.equal(owner.closed, false);
      });

      it('are replaced by the next one, while virtual functions that are open stay open', async () => {
        await using owner = await Device.open(physical, { via, vfToken: token });
        await using user = await Device.open(vf, { via, vfToken: token });
        owner.features.setVfToken(other);
        assert.notEqual(user.config.command, 0xffff);
        await assert.rejects(open(virtual[1] as string, { via, vfToken: token }), wrong);
        await open(virtual[1] as string, { via, vfToken: other });
        covers('VFIO_DEVICE_FEATURE_PCI_VF_TOKEN');
      });

      it('stay when the physical function is closed, and guard it while a virtual one is open', async () => {
        await open(physical, { via, vfToken: token });
        const user = await Device.open(vf, { via, vfToken: token });
        try {
          await assert.rejects(open(physical, { via }), missing);
          await assert.rejects(open(physical, { via, vfToken: other }), wrong);
          await open(physical, { via, vfToken: token });
        } finally {
          await user.close();
        }
        await open(physical, { via });
        proven();
      });

      it('are no feature of a virtual function itself', async () => {
        await open(physical, { via, vfToken: token });
        await using user = await Device.open(vf, { via, vfToken: token });
        assert.throws(() => user.features.setVfToken(other), {
          code: 'ERR_VFIO_UNSUPPORTED',
          message: `${vf} has no virtual functions that a token could guard`,
        });
      });
    });
  }

  it('are refused by older kernels at the cdev, which opens without: the error names both kernels', async () => {
    if (kernelHas('bindToken')) return;
    const vf = virtual[0] as string;
    await assert.rejects(open(vf, { via: 'cdev', vfToken: token }), {
      code: 'ERR_VFIO_UNSUPPORTED',
      message: /this kernel is 6\.\d+.*, and a VF token without a group came with 6\.17/,
    });
    refusal('VFIO_DEVICE_BIND_FLAG_TOKEN');
    await open(vf, { via: 'cdev' });
    await open(physical, { via: 'group', vfToken: token });
    await using user = await Device.open(vf, { vfToken: token });
    assert.equal(user.iommufd, undefined, 'so Device.open takes the group when there is a token');
  });

  it('are checked before anything is opened', async () => {
    using iommufd = Iommufd.open();
    for (const vfToken of ['', 'secret', `${token}0`, `{${token}}`]) {
      const notUuid = { code: 'ERR_INVALID_ARG_VALUE', message: /^options\.vfToken must be a UUID/ };
      await assert.rejects(Device.open(physical, { vfToken }), notUuid);
      await assert.rejects(iommufd.openDevice(physical, { vfToken }), notUuid);
    }
    await assert.rejects(Device.open(physical, { vfToken: 7 as never }), { code: 'ERR_INVALID_ARG_TYPE' });
  });
});

labSuite('VF tokens of a device without virtual functions', () => {
  needs({ iommu: true, devices: [devices.edu] });
  bound(devices.edu);

  for (const via of ways) {
    it(`are refused (by ${via})`, async function () {
      if (via === 'cdev') refusal('VFIO_DEVICE_BIND_FLAG_TOKEN');
      await assert.rejects(Device.open(devices.edu, { via, vfToken: token }), {
        code: 'EINVAL',
        message: /0000:04:00\.0 takes no VF token: it has no SR-IOV.* Try: leave out vfToken/,
      });
    });
  }
});
