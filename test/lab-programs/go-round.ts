/** Frames that two ports forward to each other for ever, until somebody stops it and looks at them. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Arena, BufferPool, Burst, type Nic } from 'vfio/kit';
import { L2Forwarder } from '../../examples/forwarder/l2-forwarder.js';
import { PAYLOAD, writeHeaders, writeNumber } from '../../examples/generator/udp-frame.js';
import { openNic } from '../../examples/nic/open-nic.js';
import { devices } from '../../lab/devices.js';

const FRAMES = 16;
const SIZE = 300;
/** The number of the first frame that starts at each port. */
const FIRST = [0, 100] as const;
const ENOUGH = 1000;

/** @param run makes the forwarder work, and stops it once enough frames went both ways */
export async function goRound(
  run: (forwarder: L2Forwarder, isEnough: () => boolean) => Promise<void>,
): Promise<void> {
  const pool = new BufferPool(new Arena(BufferPool.bytesFor(2048) + (1 << 20)), { count: 2048 });
  await using a = await openNic(devices.nicA, { pool, promiscuous: true });
  await using b = await openNic(devices.nicB, { pool, promiscuous: true });
  await Promise.all([a.waitForLink({ timeoutMs: 30_000 }), b.waitForLink({ timeoutMs: 30_000 })]);

  // What a port sends arrives at the other, which forwards it to the first to be sent again: each port's frames go round.
  sendFrames(a, b, FIRST[0]);
  sendFrames(b, a, FIRST[1]);
  const forwarder = new L2Forwarder(a, b, [{ kind: 'add', at: 22, value: 1 }]);
  await run(forwarder, () => Math.min(...forwarder.forwarded) >= ENOUGH);

  // What goes round is in the receive rings now: A's frames in B's and the other way about.
  const seen: readonly [number[], number[]] = [[], []];
  const burst = new Burst(pool.arena, 32);
  for (let idle = 0; idle < 20; idle++) {
    for (const [i, nic] of [b, a].entries()) {
      const count = nic.rxBurst(burst, 32);
      if (count > 0) idle = 0;
      for (let k = 0; k < count; k++) {
        seen[i as 0 | 1].push(numberOf(Buffer.from(pool.bytes(burst.handle(k))), burst.length(k)));
        pool.give(burst.handle(k));
      }
    }
    await sleep(10);
  }
  for (const [i, numbers] of seen.entries()) {
    // In order from wherever the round was cut.
    const first = numbers.indexOf(FIRST[i as 0 | 1]);
    const inOrder = [...numbers.slice(first), ...numbers.slice(0, first)];
    const expected = Array.from({ length: FRAMES }, (_, k) => FIRST[i as 0 | 1] + k);
    assert.deepEqual(inOrder, expected, `went round in order: ${numbers.join(' ')}`);
  }
  for (const nic of [a, b]) {
    const { rxErrors, rxMissed, txErrors } = nic.stats();
    assert.deepEqual([rxErrors, rxMissed, txErrors], [0, 0, 0]);
  }
}

/** The byte at `j` of frame `n`. */
function byteOf(n: number, j: number): number {
  return (n * 31 + j) & 0xff;
}

function sendFrames(from: Nic, to: Nic, firstNumber: number): void {
  const { pool } = from;
  const ip = Uint8Array.of(10, 0, 0, 1);
  const port = 9000;
  const flow = {
    ...{ sourceMac: from.mac, targetMac: to.mac },
    ...{ sourceIp: ip, targetIp: ip, sourcePort: port, targetPort: port },
  };
  const burst = new Burst(pool.arena, FRAMES);
  for (let i = 0; i < FRAMES; i++) {
    const handle = pool.take();
    const n = firstNumber + i;
    writeHeaders(pool.bytes(handle), SIZE, flow);
    for (let j = PAYLOAD + 4; j < SIZE; j++) pool.bytes(handle)[j] = byteOf(n, j);
    writeNumber(pool.arena.u8, handle, n);
    burst.set(i, handle, SIZE);
  }
  assert.equal(from.txBurst(burst, FRAMES), FRAMES);
}

/** Which frame it is; all of it has to be as it was sent. */
function numberOf(frame: Buffer, length: number): number {
  const n = frame.readUInt32BE(PAYLOAD);
  assert.equal(length, SIZE);
  for (let j = PAYLOAD + 4; j < SIZE; j++) assert.equal(frame[j], byteOf(n, j), `byte ${j} of frame ${n}`);
  return n;
}
