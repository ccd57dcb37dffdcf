import assert from 'node:assert/strict';
import { Device, type DmaBuffer, type IrqVector, type Mapping } from 'vfio';
import { devices } from '../../../lab/devices';
import { registerMap } from '../../../examples/e1000e/registers';
import { reset } from '../../../examples/e1000e/reset';
import { Adopter } from '../../support/adopter';
import { bound } from '../support/bound';
import { held } from '../support/held';
import { allSent, Reg, routeInterrupts } from '../support/nic';
import { labSuite } from '../support/suite';

/** Twice as many fit into the receive ring. */
const FRAMES = 7;

/** What each worker is given: the registers, its ring (with the frames behind it), its vector. */
interface Queue {
  mapping: Mapping;
  buffer: DmaBuffer;
  vector: IrqVector;
}

/** In a worker: hands the receive ring to the NIC, and returns the first words of the frames that arrive. */
const receive = async ({ mapping, buffer, vector }: Queue, frames: number): Promise<number[]> => {
  const { u32, iova } = buffer;
  for (let i = 0; i < 16; i++) {
    u32[i * 4] = Number(iova) + 4096 + i * 2048;
    u32[i * 4 + 1] = buffer.iovaHi;
  }
  mapping.write32(0x2800, buffer.iovaLo);
  mapping.write32(0x2804, buffer.iovaHi);
  mapping.write32(0x2808, 256);
  mapping.write32(0x2810, 0);
  mapping.write32(0x2818, 0);
  // All that comes, and what the NIC itself sends: MAC loopback.
  mapping.write32(0x100, (1 << 1) | (1 << 3) | (1 << 4) | (1 << 6) | (1 << 15));
  mapping.write32(0x2818, 15);
  const words: number[] = [];
  let next = 0;
  while (words.length < frames) {
    // An interrupt masks its cause; one that came meanwhile is sent now.
    mapping.write32(0xd0, 1 << 20);
    await vector.wait({ timeoutMs: 120_000 });
    // The descriptor's status: done. The emulated loopback delivers an empty frame after each.
    for (; next < 15 && ((u32[next * 4 + 3] ?? 0) & 1) === 1; next++) {
      const word = u32[(4096 + next * 2048 + 16) / 4] ?? 0;
      if (word !== 0) words.push(word);
    }
  }
  return words;
};

/** In another: sends as many, one after the other, and returns the interrupts that told of their being sent. */
const send = async ({ mapping, buffer, vector }: Queue, frames: number): Promise<number> => {
  const { u8, u32 } = buffer;
  mapping.write32(0x3800, buffer.iovaLo);
  mapping.write32(0x3804, buffer.iovaHi);
  mapping.write32(0x3808, 256);
  mapping.write32(0x3810, 0);
  mapping.write32(0x3818, 0);
  mapping.write32(0x400, (1 << 1) | (1 << 3));
  let interrupts = 0;
  for (let i = 0; i < frames; i++) {
    const at = 4096 + i * 2048;
    u8.fill(0xff, at, at + 12);
    u32[(at + 16) / 4] = 0x1000_0000 + i;
    u32[i * 4] = buffer.iovaLo + at;
    u32[i * 4 + 1] = buffer.iovaHi;
    // 64 bytes; end of packet, with a checksum, and tell when it is done.
    u32[i * 4 + 2] = 64 | (0x0b << 24);
    u32[i * 4 + 3] = 0;
    mapping.write32(0xd0, 1 << 22);
    mapping.write32(0x3818, i + 1);
    do interrupts += await vector.wait({ timeoutMs: 120_000 });
    while (((u32[i * 4 + 3] ?? 0) & 1) === 0);
  }
  return interrupts;
};

labSuite('one queue of a NIC to each worker', () => {
  bound(devices.nicA);

  it('sends from one and receives in another, each with its ring and its vector', async () => {
    const before = held();
    await using device = await Device.open(devices.nicA);
    const registers = device.bar(0).map();
    await reset(registerMap.over(registers));
    routeInterrupts(registers);
    const [rx, tx] = device.msix.enable(2);
    assert.ok(tx);
    device.enableBusMaster();
    const queue = (vector: IrqVector) => ({
      mapping: registers.share(),
      buffer: device.dma.alloc(4096 + 16 * 2048, { addressBits: 32 }).share(),
      vector: vector.share(),
    });
    {
      await using receiver = await Adopter.start(queue(rx));
      await using sender = await Adopter.start(queue(tx));
      const received = receiver.run(receive, FRAMES);
      while (registers.read32(Reg.RDT) !== 15) await new Promise(resolve => setImmediate(resolve));
      const interrupts = await sender.run(send, FRAMES);
      assert.ok(interrupts >= FRAMES, `${interrupts} interrupts`);
      assert.deepEqual(
        await received,
        Array.from({ length: FRAMES }, (_, i) => 0x1000_0000 + i),
      );
    }
    assert.deepEqual([rx.adoptedBy, tx.adoptedBy], [undefined, undefined]);
    await allSent();
    await device.close();
    assert.deepEqual(held(), before);
  });
});
