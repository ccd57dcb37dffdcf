import assert from 'node:assert/strict';
import { execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { devices } from '../../../lab/devices';
import { opened } from '../support/bound';
import { ADDRESS_BITS, EDU_BYTES, EduCard, fillPattern } from '../support/edu';
import { labSuite } from '../support/suite';

const run = promisify(execFile);

labSuite('children of a process whose device does DMA', () => {
  const edu = opened(devices.edu);

  it('start and end without a byte of it going wrong', async () => {
    const card = new EduCard(edu.device);
    edu.device.enableBusMaster();
    using source = edu.device.dma.alloc(EDU_BYTES, { addressBits: ADDRESS_BITS });
    using target = edu.device.dma.alloc(EDU_BYTES, { addressBits: ADDRESS_BITS });
    const [from, to] = [source, target].map(({ u8 }) => u8.subarray(0, EDU_BYTES)) as [
      Uint8Array,
      Uint8Array,
    ];
    let ended = 0;
    const children = (async () => {
      for (; ended < 12; ended++) await run('true');
    })();
    for (let i = 0; ended < 12; i++) {
      fillPattern(from, i);
      await card.readFrom(source.iova);
      // The copy of our pages that a child has shall not be the one that the device knows.
      fillPattern(from, i + 1);
      await card.writeTo(target.iova);
      fillPattern(from, i);
      assert.ok(Buffer.compare(from, to) === 0, `transfer ${i}`);
    }
    await children;
  });

  it('have neither its files nor its memory', async () => {
    const memory = edu.device.dma.alloc(65_536);
    const mapping = edu.device.bar(0).map();
    const script = 'ls -l /proc/self/fd; cat /proc/self/maps';
    const { stdout } = await run('sh', ['-c', script]);
    assert.doesNotMatch(stdout, /vfio|iommu|eventfd/);
    mapping.close();
    memory.free();
  });

  it('may be Node processes that load this package too', async () => {
    const program = path.join(__dirname, '../../support/fixtures/lists-devices.js');
    const child = fork(program, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const ended = once(child, 'exit');
    const [found] = (await once(child, 'message')) as [number];
    assert.ok(found > 0);
    assert.deepEqual(await ended, [0, null]);
    assert.equal(new EduCard(edu.device).registers.read32(0), 0x0100_00ed);
  });
});
