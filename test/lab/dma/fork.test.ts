import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { devices } from '../../../lab/devices';
import { opened } from '../support/bound';
import { ADDRESS_BITS, EduCard } from '../support/edu';
import { wasmMemory } from '../support/shared-memory';
import { labSuite } from '../support/suite';

/** Bytes of this process's address space that a forked child does not get (VM_DONTCOPY). */
function excluded(): number {
  let bytes = 0;
  let size = 0;
  for (const line of fs.readFileSync('/proc/self/smaps', 'utf8').split('\n')) {
    const area = /^([0-9a-f]+)-([0-9a-f]+) /.exec(line);
    if (area !== null) size = Number(`0x${area[2] ?? ''}`) - Number(`0x${area[1] ?? ''}`);
    else if (line.startsWith('VmFlags:') && / dc\b/.test(line) && !/ io\b/.test(line)) bytes += size;
  }
  return bytes;
}

labSuite('DMA memory and fork', () => {
  const edu = opened(devices.edu);
  afterEach(() => edu.device.dma.freeAll());

  it('is excluded, as a copy of a page would take the original from under the device', () => {
    const before = excluded();
    edu.device.dma.alloc(64 * 4096);
    assert.equal(excluded(), before + 64 * 4096);
    edu.device.dma.map(wasmMemory(2));
    assert.equal(excluded(), before + 64 * 4096 + 0x2_0000);
  });

  it('memory of the user is ordinary again when it is not mapped any more', () => {
    const before = excluded();
    const mapped = edu.device.dma.map(wasmMemory());
    mapped.free();
    assert.equal(excluded(), before);
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
