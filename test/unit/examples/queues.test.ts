/**
 * What the 82574L's queues are told, and in what order. The rings themselves are the kit's (test/unit/kit); all of it on a real
 * kernel is in test/lab/examples.
 */
import assert from 'node:assert/strict';
import type { Registers } from 'vfio';
import { registerMap } from '../../../examples/e1000e/registers.js';
import { startReceiver } from '../../../examples/e1000e/rx-queue.js';
import { startTransmitter } from '../../../examples/e1000e/tx-queue.js';

describe('examples/e1000e: queues', () => {
  let writes: [offset: number, value: number][];
  const registers = {
    size: 0x20000,
    write32: (offset: number, value: number) => writes.push([offset, value]),
  } as unknown as Registers;
  const regs = registerMap.over(registers);
  const written = ({ offset }: { offset: number }): number | undefined =>
    writes.findLast(([at]) => at === offset)?.[1];

  beforeEach(() => {
    writes = [];
  });

  it('tell the device where the receive ring is, above 4 GiB too, and enable the receiver last', () => {
    startReceiver(regs, { iova: 0x1_2345_0000n, size: 16, firstTail: 15 });
    const values = [regs.RDBAL, regs.RDBAH, regs.RDLEN, regs.RDH, regs.RDT].map(written);
    assert.deepEqual(values, [0x23450000, 1, 256, 0, 15]);
    assert.deepEqual(writes.at(-1), [regs.RCTL.offset, 0x04008002]);
    startReceiver(regs, { iova: 0n, size: 16, firstTail: 15 }, { promiscuous: true });
    assert.deepEqual(writes.at(-1), [regs.RCTL.offset, 0x0400801a]);
  });

  it('tell the device where the transmit ring is, empty, and enable the transmitter last', () => {
    startTransmitter(regs, { iova: 0x2_8000_0000n, size: 64 });
    const values = [regs.TDBAL, regs.TDBAH, regs.TDLEN, regs.TDH, regs.TDT].map(written);
    assert.deepEqual(values, [0x80000000, 2, 1024, 0, 0]);
    assert.equal(writes.at(-1)?.[0], regs.TCTL.offset);
  });
});
