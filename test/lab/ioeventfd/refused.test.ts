import assert from 'node:assert/strict';
import type { IoEventFd } from 'vfio';
import { devices } from '../../../lab/devices';
import { opened } from '../support/bound';
import { held } from '../support/held';
import { labSuite } from '../support/suite';

/** The NVMe controller's MSI-X table, and a register that anything may be written to. */
const [table, register] = [0x2000, 0x24];

labSuite('ioeventfd: what is refused', () => {
  const disk = opened(devices.nvme);
  const edu = opened(devices.edu);
  const bar = () => disk.device.bar(0);

  it('a write over the MSI-X table', () => {
    const before = held();
    const vectors = disk.device.msix.count;
    for (const offset of [table, table + 8, table + vectors * 16 - 4]) {
      assert.throws(() => bar().ioeventfd(offset, 32, 0), {
        code: 'EINVAL',
        syscall: 'VFIO_DEVICE_IOEVENTFD',
        address: devices.nvme,
        message: /Setting an ioeventfd of 32 bits at BAR0\+0x2[0-4].*not over the MSI-X table/,
      });
    }
    bar()
      .ioeventfd(table - 4, 32, 0)
      .close();
    bar()
      .ioeventfd(table + vectors * 16, 32, 0)
      .close();
    assert.deepEqual(held(), before);
  });

  it('a write outside a BAR', () => {
    const { config } = disk.device;
    assert.throws(() => config.ioeventfd(4, 16, 0), { code: 'EINVAL', message: /at config\+0x4/ });
    assert.throws(() => edu.device.rom.ioeventfd(0, 8, 0), { code: 'ERR_OUT_OF_RANGE', message: /ROM/ });
    assert.throws(() => bar().ioeventfd(bar().size, 8, 0), { code: 'ERR_OUT_OF_RANGE' });
    assert.throws(() => bar().ioeventfd(bar().size - 4, 64, 0), { code: 'ERR_OUT_OF_RANGE' });
  });

  it('the same offset, width and value a second time', () => {
    using first = bar().ioeventfd(register, 32, 7);
    assert.throws(() => bar().ioeventfd(register, 32, 7), {
      code: 'EEXIST',
      message: /same offset, width and value/,
    });
    using wider = bar().ioeventfd(register, 16, 7);
    assert.deepEqual([first.closed, wider.closed], [false, false]);
    first.close();
    bar().ioeventfd(register, 32, 7).close();
  });

  it('more than a thousand on one device, and closing one makes room', () => {
    const before = held();
    const doorbells: IoEventFd[] = [];
    for (let i = 0; i < 1000; i++) doorbells.push(bar().ioeventfd(register, 32, i));
    const full = { code: 'ENOSPC', message: /a device takes 1,000 ioeventfds/ };
    assert.throws(() => bar().ioeventfd(register, 32, 1000), full);
    using other = edu.device.bar(0).ioeventfd(4, 32, 0);
    assert.equal(other.closed, false, 'each device has its own thousand');
    other.close();
    doorbells[500]?.close();
    doorbells[500] = bar().ioeventfd(register, 32, 1000);
    assert.throws(() => bar().ioeventfd(register, 32, 1001), full);
    for (const doorbell of doorbells) doorbell.close();
    assert.deepEqual(held(), before);
  });

  it('what is no width, no offset and no value', () => {
    const refused: [Parameters<ReturnType<typeof bar>['ioeventfd']>, string, RegExp][] = [
      [[register, 12 as 8, 0], 'ERR_INVALID_ARG_VALUE', /^width must be 8, 16, 32 or 64/],
      [[register, '32' as unknown as 32, 0], 'ERR_INVALID_ARG_VALUE', /^width/],
      [[register + 2, 32, 0], 'ERR_OUT_OF_RANGE', /^offset must be a multiple of 4/],
      [[register, 64, 0], 'ERR_OUT_OF_RANGE', /^offset must be a multiple of 8/],
      [[-4, 32, 0], 'ERR_OUT_OF_RANGE', /^offset/],
      [['0' as unknown as number, 32, 0], 'ERR_INVALID_ARG_TYPE', /^offset/],
      [[register, 8, 256], 'ERR_OUT_OF_RANGE', /^value must be from 0 to 2\^8 - 1; got 256/],
      [[register, 32, 2 ** 32], 'ERR_OUT_OF_RANGE', /^value/],
      [[register, 32, -1], 'ERR_OUT_OF_RANGE', /^value/],
      [[register - 4, 64, 1n << 64n], 'ERR_OUT_OF_RANGE', /^value/],
      [[register, 32, 0.5], 'ERR_INVALID_ARG_TYPE', /^value/],
      [[register, 32, '1' as unknown as number], 'ERR_INVALID_ARG_TYPE', /^value/],
    ];
    for (const [args, code, message] of refused)
      assert.throws(() => bar().ioeventfd(...args), { code, message });
  });

  it('a device closes with its doorbells', async () => {
    const doorbell = bar().ioeventfd(register, 32, 0);
    await disk.device.close();
    assert.equal(doorbell.closed, true);
    doorbell.close();
    assert.throws(() => bar().ioeventfd(register, 32, 0), { code: 'ERR_VFIO_CLOSED' });
  });
});
