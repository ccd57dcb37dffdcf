import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { devices } from '../../../lab/devices';
import { flagsAt } from '../../support/memory-areas';
import { opened } from '../support/bound';
import { ADDRESS_BITS, EduCard } from '../support/edu';
import { addressOf, wholePages } from '../support/shared-memory';
import { labSuite } from '../support/suite';

const flagsOf = (bytes: Uint8Array): string[] => flagsAt(addressOf(bytes));

labSuite('DMA memory and fork', () => {
  const edu = opened(devices.edu);
  afterEach(() => edu.device.dma.freeAll());

  it('is excluded, as a copy of a page would take the original from under the device', () => {
    const buffer = edu.device.dma.alloc(64 * 4096);
    assert.ok(flagsOf(buffer.u8).includes('dc'));
    assert.ok(flagsOf(buffer.u8.subarray(63 * 4096)).includes('dc'));
  });

  it('as is memory of the user, exactly while it is mapped', () => {
    const bytes = wholePages(16);
    assert.ok(!flagsOf(bytes).includes('dc'));
    const mapped = edu.device.dma.map(bytes);
    assert.ok(flagsOf(bytes).includes('dc'));
    mapped.free();
    assert.ok(!flagsOf(bytes).includes('dc'));
  });

  it('a device goes on writing to the same memory after this process had children', async () => {
    const card = new EduCard(edu.device);
    edu.device.enableBusMaster();
    const memory = edu.device.dma.alloc(4096, { addressBits: ADDRESS_BITS });
    memory.u8.fill(0x44, 0, 64);
    execFileSync('true');
    memory.u8.fill(0x45, 0, 64);
    await card.readFrom(memory.iova, 64);
    execFileSync('true');
    await card.writeTo(memory.iovaAt(1024), 64);
    assert.equal(memory.u8[1024], 0x45);
  });
});
