import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Container, Device, Iommufd } from 'vfio';
import { E1000e } from '../../../examples/e1000e/e1000e';
import { devices } from '../../../lab/devices';
import { lacking, needs } from '../../support/needs';
import { skip } from '../../support/skip';
import { bound } from '../support/bound';
import { cdevMachine } from '../support/cdev';
import { ADDRESS_BITS, EduCard, fillPattern } from '../support/edu';
import { labSuite } from '../support/suite';

labSuite('two devices in one address space, doing DMA at once', () => {
  needs({ iommu: true, devices: [devices.nicA, devices.nicB, devices.edu] });
  bound(devices.nicA, devices.nicB);

  it('of a container: NICs send each other frames both ways', async () => {
    using container = Container.open();
    await using a = await Device.open(devices.nicA, { container });
    await using b = await Device.open(devices.nicB, { container });
    assert.ok(a.group !== b.group && a.dma === b.dma && a.dma === container.dma);
    await exchange(a, b);
  });

  it('of an iommufd: the same', async function () {
    const lack = lacking(cdevMachine);
    if (lack !== undefined) skip(this, lack);
    using iommufd = Iommufd.open();
    using ioas = iommufd.allocIoas();
    await using a = await Device.open(devices.nicA, { ioas });
    await using b = await Device.open(devices.nicB, { ioas });
    assert.ok(a.groupId !== b.groupId && a.dma === b.dma && a.attached === ioas);
    assert.deepEqual(iommufd.devices, [a, b]);
    await exchange(a, b);
    // What is left goes on when one leaves.
    await a.close();
    assert.deepEqual([ioas.closed, b.attached], [false, ioas]);
    await b.close();
    assert.deepEqual([ioas.closed, iommufd.closed], [false, false]);
  });
});

labSuite('iommufd: two devices reach the same memory', () => {
  needs(cdevMachine);
  bound(devices.edu, devices.pairEdu);

  it('at the same address', async () => {
    using iommufd = Iommufd.open();
    using ioas = iommufd.allocIoas();
    await using one = await Device.open(devices.edu, { ioas });
    await using two = await Device.open(devices.pairEdu, { ioas });
    const [a, b] = [new EduCard(one), new EduCard(two)];
    one.enableBusMaster();
    two.enableBusMaster();
    const memory = ioas.dma.alloc(4096, { addressBits: ADDRESS_BITS });
    fillPattern(memory.u8, 1);
    const sent = memory.u8.slice(0, 1024);
    await a.readFrom(memory.iova, 1024);
    memory.u8.fill(0);
    await a.writeTo(memory.iova, 1024);
    await b.readFrom(memory.iova, 1024);
    memory.u8.fill(0);
    await b.writeTo(memory.iova, 1024);
    assert.deepEqual(memory.u8.slice(0, 1024), sent);
  });
});

const FRAMES = 40;

/** Starts both NICs and has each send the other some frames, all of which must arrive as they were. */
async function exchange(one: Device, two: Device): Promise<void> {
  const nics = [await E1000e.start(one), await E1000e.start(two)] as const;
  await Promise.all(nics.map(nic => nic.waitForLink({ timeoutMs: 20_000 })));
  const received: [number[], number[]] = [[], []];
  for (let n = 0; n < FRAMES; n++) {
    for (const [i, nic] of nics.entries()) {
      const other = nics[1 - i] as E1000e;
      assert.ok(nic.transmit(frame(other.mac, nic.mac, n)));
    }
    if (n % 8 === 7) await sleep(1);
    collect();
  }
  for (let waited = 0; received.some(list => list.length < FRAMES) && waited < 2000; waited++) {
    await sleep(10);
    collect();
  }
  const all = Array.from({ length: FRAMES }, (_, n) => n);
  assert.deepEqual(received, [all, all]);

  function collect(): void {
    for (const [i, nic] of nics.entries()) {
      nic.receive(FRAMES, (bytes, length) => {
        const n = bytes[14] ?? -1;
        assert.deepEqual(bytes.slice(0, length), frame(nic.mac, (nics[1 - i] as E1000e).mac, n));
        received[i as 0 | 1].push(n);
      });
    }
  }
}

/** A frame of an experimental type with the number in it. */
function frame(to: Uint8Array, from: Uint8Array, n: number): Uint8Array {
  const bytes = new Uint8Array(300);
  fillPattern(bytes, n);
  bytes.set(to, 0);
  bytes.set(from, 6);
  bytes.set([0x88, 0xb5, n], 12);
  return bytes;
}
