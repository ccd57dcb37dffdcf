/** Rounds of open, use and close: each is to leave nothing. */
import { createWorker } from '../support/processes.js';
import { adopt, Container, Device, EventFd, Group } from '../../lib/index.js';
import { wasmMemory } from '../lab/support/shared-memory.js';
import { looseBuffer } from '../support/loose.js';
import { looseVector } from '../support/vector.js';

export interface Round {
  name: string;
  /** Of how many rounds asked for one is made: for those that take long. */
  every: number;
  run: () => void | Promise<void>;
}

/** Whether the next worker ends before what it adopted, or after it. */
let terminateFirst = true;

/** What needs no device. */
export const plainRounds: readonly Round[] = [
  {
    name: 'an eventfd',
    every: 1,
    run: () => {
      using eventfd = new EventFd();
      eventfd.signal(3);
    },
  },
  {
    name: 'a vector that is listened to, waited for and iterated',
    every: 1,
    run: async () => {
      const { vector } = looseVector();
      vector.on('interrupt', () => undefined);
      const waiting = vector.wait();
      vector.eventfd.signal();
      await waiting;
      vector.eventfd.signal();
      for await (const count of vector) if (count > 0) break;
      vector.close();
    },
  },
  {
    name: 'a vector and a buffer that are shared and adopted',
    every: 1,
    run: async () => {
      const { vector } = looseVector();
      const buffer = looseBuffer();
      const [event, memory] = [adopt(vector.share()), adopt(buffer.share())];
      const waiting = event.wait();
      vector.eventfd.signal();
      await waiting;
      if (memory.u8[0] !== 0) throw new Error('memory that is not zeroed');
      event.close();
      vector.close();
      buffer.free();
    },
  },
  {
    name: 'a worker that adopts them, and is terminated while events flow or sees them end',
    every: 100,
    run: async () => {
      const { vector } = looseVector();
      const buffer = looseBuffer();
      const { worker, message } = createWorker(
        ({ vfio, require }, tokens) => {
          const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
          const memory = vfio.adopt(tokens.buffer).u32;
          const vector = vfio.adopt(tokens.vector);
          vector.on('interrupt', () => {
            memory[0] = (memory[0] ?? 0) + 1;
            if (memory[0] === 10) parentPort?.postMessage('busy');
            vector.eventfd.signal();
          });
        },
        { vector: vector.share(), buffer: buffer.share() },
      );
      vector.eventfd.signal();
      await message();
      if (terminateFirst) await worker.terminate();
      terminateFirst = !terminateFirst;
      vector.close();
      buffer.free();
      await worker.terminate();
    },
  },
  {
    name: 'what is refused',
    every: 1,
    run: () => {
      for (const wrong of [() => Device.openSync('ffff:ff:1f.7'), () => new EventFd().signal(0)]) {
        try {
          wrong();
        } catch {
          continue;
        }
        throw new Error('nothing was refused');
      }
    },
  },
  {
    name: 'a worker, terminated while events flow',
    every: 100,
    run: async () => {
      const { worker, message } = createWorker(({ vfio, native, require }) => {
        const { parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
        const eventfd = new vfio.EventFd();
        const { handle } = eventfd as unknown as { handle: ReturnType<typeof native.eventFdCreate> };
        let events = 0;
        native.loopStart(() => {
          eventfd.signal();
          if (++events === 10) parentPort?.postMessage('busy');
        });
        native.loopAdd(handle, 1, true, false);
        native.loopRef(true);
        eventfd.signal();
      }, null);
      await message();
      await worker.terminate();
    },
  },
];

/**
 * What opens devices; in the lab those of the kernel, elsewhere files that stand for them.
 *
 * @param address a device to open, alone in its group
 * @param group what opens its group: its address, or a number
 */
export function deviceRounds(address: string, group: string | number): readonly Round[] {
  const openByHand = (): { container: Container; member: Group; device: Device } => {
    const container = Container.open();
    const member = Group.open(group);
    container.attach(member);
    container.setIommu();
    return { container, member, device: member.openDeviceSync(address) };
  };
  // One for all: the engine gives address space of its own back when it sees fit.
  const brought = wasmMemory();
  return [
    {
      name: 'a device with mappings, DMA memory and interrupts, closed in order',
      every: 1,
      run: async () => {
        const { container, member, device } = openByHand();
        use(device);
        await device.close();
        member.close();
        container.close();
      },
    },
    {
      name: 'the same, of which only the container is closed',
      every: 1,
      run: () => {
        const { container, member, device } = openByHand();
        use(device);
        container.close();
        member.close();
      },
    },
    {
      name: 'DMA memory allocated, brought, mapped and freed',
      every: 1,
      run: async () => {
        const { container, member, device } = openByHand();
        for (let i = 0; i < 8; i++) container.dma.alloc(4096 << (i % 3)).free();
        (await container.dma.allocAsync(65_536)).free();
        container.dma.map(brought).free();
        device.closeSync();
        container.close();
        member.close();
      },
    },
  ];
}

function use(device: Device): void {
  const mapping = device.regions.find(({ areas }) => areas.length > 0)?.map();
  mapping?.read32(0);
  if (mapping !== undefined && adopt(mapping.share()).buffer.byteLength === 0)
    throw new Error('an empty one');
  if (mapping?.buffer.byteLength === 0) throw new Error('an empty mapping');
  const memory = device.dma.alloc(8192);
  memory.u32[0] = 1;
  if (adopt(memory.share()).u32[0] !== 1) throw new Error('other memory');
  const kind = [device.msix, device.msi].find(({ count }) => count > 0);
  for (const vector of kind?.enable(1) ?? []) vector.on('interrupt', () => undefined);
  device.enableBusMaster();
  device.config.capabilities();
}
