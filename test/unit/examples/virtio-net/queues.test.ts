import assert from 'node:assert/strict';
import { layouts, Model } from './model.js';

for (const layout of layouts) {
  describe(`examples/virtio-net: receive queue, ${layout.title}`, () => {
    it('hands over what arrives, in order, through all values of the indexes', () => {
      const model = new Model(layout, true);
      const rx = model.rx();
      // Indexes have 16 bits, rounds come in two kinds.
      const rounds = 22_000;
      for (let round = 0; round < rounds; round++) {
        for (let i = 0; i < 3; i++) assert(model.deliver((3 * round + i) & 0xff, 60 + i));
        assert.equal(rx.burst(model.burst), 3);
        for (let i = 0; i < 3; i++) {
          const handle = model.burst.handle(i);
          assert.equal(model.burst.length(i), 60 + i);
          assert.equal(model.arena.u8[handle + 59 + i], (3 * round + i) & 0xff);
          model.pool.give(handle);
        }
      }
      assert.deepEqual([rx.frames, rx.bytes, rx.errors], [3 * rounds, 183 * rounds, 0]);
    });

    it('gives the device a buffer for each slot, and no more', () => {
      const model = new Model(layout, true);
      const rx = model.rx();
      for (let i = 0; i < 4; i++) assert(model.deliver(i));
      assert.equal(model.deliver(9), false);
      assert.equal(rx.burst(model.burst, 3), 3);
      assert.equal(rx.pending, true);
      assert.equal(rx.burst(model.burst), 1);
      assert.equal(rx.pending, false);
      assert.equal(rx.burst(model.burst), 0);
    });

    it('takes what is used in another order', () => {
      const model = new Model(layout, true);
      const rx = model.rx();
      const chains = Array.from({ length: 4 }, () => model.device.next() ?? assert.fail());
      for (const [i, chain] of chains.reverse().entries()) {
        const frame = model.frame(chain, true);
        model.arena.u8[frame.offset] = i;
        model.device.use(chain.id, 12 + 60);
      }
      assert.equal(rx.burst(model.burst), 4);
      for (let i = 0; i < 4; i++) assert.equal(model.arena.u8[model.burst.handle(i)], i);
    });

    it('leaves frames in the queue while the pool is empty, and counts that', () => {
      const model = new Model(layout, true, { buffers: 5 });
      const rx = model.rx();
      model.deliver(1);
      model.deliver(2);
      assert.equal(rx.burst(model.burst), 1);
      assert.equal(rx.noBuffer, 1);
      model.pool.give(model.burst.handle(0));
      assert.equal(rx.burst(model.burst), 1);
      assert.equal(model.arena.u8[model.burst.handle(0)], 2);
    });

    it('counts and drops what cannot be: lengths, slots it does not have, slots twice', () => {
      const model = new Model(layout, true);
      const rx = model.rx();
      for (const written of [0, 11, 12, 12 + 2049, 0xffff_ffff]) {
        const chain = model.device.next() ?? assert.fail();
        model.device.use(chain.id, written);
        assert.equal(rx.burst(model.burst), 0);
      }
      assert.equal(rx.errors, 5);
      const chain = model.device.next() ?? assert.fail();
      model.device.use(0xfff0, 72);
      model.device.use(chain.id, 72);
      model.device.use(0xffff, 72);
      assert.equal(rx.burst(model.burst), 1);
      assert.equal(rx.errors, 7);
      assert.equal(model.pool.free, 16 - 4 - 1);
    });

    it('looks at each slot once, however much the device says', () => {
      const model = new Model(layout, true);
      const rx = model.rx();
      for (let i = 0; i < 100; i++) model.device.use(0xfff1, 72);
      for (let i = 0; i < 100; i++) assert.equal(rx.burst(model.burst), 0);
      assert(rx.errors >= 4 && rx.errors <= 400);
      assert.equal(model.pool.free, 12);
    });

    it('notifies of new buffers when that is wanted', () => {
      const model = new Model(layout, true);
      const rx = model.rx();
      assert.equal(model.notifications, 1, 'the first buffers');
      // The device looks at all of them first, so that it waits for what comes next.
      while (model.deliver(1));
      rx.burst(model.burst);
      assert.equal(model.notifications, 2);
      for (let i = 0; i < 4; i++) model.pool.give(model.burst.handle(i));
      for (const wanted of [false, true, false, true]) {
        while (model.deliver(1));
        model.device.want(wanted);
        const before: number = model.notifications;
        assert.equal(rx.burst(model.burst), 4);
        for (let i = 0; i < 4; i++) model.pool.give(model.burst.handle(i));
        assert.equal(model.notifications - before, wanted ? 1 : 0);
      }
    });

    it('asks for an interrupt when armed, for the next frame', () => {
      const model = new Model(layout, true);
      const rx = model.rx();
      const use = (): boolean => model.device.use((model.device.next() ?? assert.fail()).id, 72);
      const empty = (): void => {
        const count = rx.burst(model.burst);
        for (let i = 0; i < count; i++) model.pool.give(model.burst.handle(i));
      };
      for (let round = 0; round < 20; round++) {
        assert.equal(use(), false, 'not armed');
        empty();
        rx.arm();
        assert.equal(use(), true, 'armed');
        empty();
        assert.equal(use(), false, 'what was received disarms');
        empty();
        rx.arm();
        rx.disarm();
        assert.equal(use(), false, 'disarmed');
        empty();
      }
    });

    it('gives all buffers back when closed, and refuses to go on', () => {
      const model = new Model(layout, true);
      const rx = model.rx();
      model.deliver(1);
      rx.close();
      assert.equal(model.pool.free, 16);
      assert.throws(() => rx.burst(model.burst), /closed/);
    });

    it('refuses a pool with too few buffers, and bursts that do not fit', () => {
      assert.throws(() => new Model(layout, true, { buffers: 3 }).rx(), /as many buffers; the pool has 3/);
      const model = new Model(layout, true);
      const rx = model.rx();
      assert.throws(() => rx.burst(model.burst, 65), RangeError);
      assert.throws(() => rx.burst(model.burst, -1), RangeError);
      assert.throws(() => rx.burst(new Model(layout, true).burst), RangeError);
    });
  });

  describe(`examples/virtio-net: transmit queue, ${layout.title}`, () => {
    /** Puts frames of one value each into the burst. */
    function fill(model: Model, count: number, length = 60, first = 0): void {
      for (let i = 0; i < count; i++) {
        const handle = model.pool.take();
        assert.notEqual(handle, 0);
        model.arena.u8.fill((first + i) & 0xff, handle, handle + length);
        model.burst.set(i, handle, length);
      }
    }

    it('sends frames in order behind a header of zeroes, through all values of the indexes', () => {
      const model = new Model(layout, false);
      const tx = model.tx();
      const rounds = 22_000;
      for (let round = 0; round < rounds; round++) {
        fill(model, 3, 61, 3 * round);
        assert.equal(tx.burst(model.burst, 3), 3);
        for (let i = 0; i < 3; i++) {
          const chain = model.device.next() ?? assert.fail();
          const { offset, length } = model.frame(chain, false);
          const header = chain.elements[0]?.offset ?? 0;
          assert(model.arena.u8.subarray(header, header + 12).every(byte => byte === 0));
          assert.equal(length, 61);
          assert.equal(model.arena.u8[offset + 60], (3 * round + i) & 0xff);
          model.device.use(chain.id, 0);
        }
      }
      tx.reclaim();
      assert.deepEqual([tx.frames, tx.bytes, tx.errors, tx.nonsense], [3 * rounds, 183 * rounds, 0, 0]);
      assert.equal(model.pool.free, 16);
    });

    it('takes as many as there is room for', () => {
      const model = new Model(layout, false);
      const tx = model.tx();
      fill(model, 6);
      assert.equal(tx.burst(model.burst, 6), 4);
      assert.equal(tx.inFlight, 4);
      assert.equal(tx.burst(model.burst, 2, 4), 0);
      model.device.use((model.device.next() ?? assert.fail()).id, 0);
      assert.equal(tx.burst(model.burst, 2, 4), 1);
      assert.equal(tx.burst(model.burst, 0), 0);
    });

    it('counts frames of impossible lengths and handles of others, and sends the rest', () => {
      const model = new Model(layout, false);
      const tx = model.tx();
      fill(model, 4);
      const [short, long] = [model.burst.handle(0), model.burst.handle(1)];
      model.burst.set(0, short, 13);
      model.burst.set(1, long, 1519);
      const foreign = model.burst.handle(2);
      model.burst.set(2, model.pool.start + 16 * model.pool.stride, 60);
      assert.equal(tx.burst(model.burst, 4), 4);
      assert.deepEqual([tx.errors, tx.frames], [3, 1]);
      assert(model.device.next() !== undefined && model.device.next() === undefined);
      model.pool.give(foreign);
      assert.equal(model.pool.free, 15);
    });

    it('does not believe that it sent what it was not given', () => {
      const model = new Model(layout, false);
      const tx = model.tx();
      fill(model, 1);
      tx.burst(model.burst, 1);
      const chain = model.device.next() ?? assert.fail();
      model.device.use(0xffff, 0);
      model.device.use(chain.id, 0);
      model.device.use(chain.id, 0);
      tx.reclaim();
      assert.equal(tx.nonsense, 2);
      assert.deepEqual([tx.inFlight, model.pool.free], [0, 16]);
    });

    it('notifies when that is wanted', () => {
      const model = new Model(layout, false);
      const tx = model.tx();
      const send = (): number => {
        const before: number = model.notifications;
        fill(model, 1);
        assert.equal(tx.burst(model.burst, 1), 1);
        model.device.use((model.device.next() ?? assert.fail()).id, 0);
        return model.notifications - before;
      };
      assert.equal(send(), 1);
      for (let round = 0; round < 20; round++) {
        model.device.want(true);
        assert.equal(send(), 1);
        model.device.want(false);
        assert.equal(send(), 0);
      }
    });

    it('gives all buffers back when closed, and refuses to go on', () => {
      const model = new Model(layout, false);
      const tx = model.tx();
      fill(model, 4);
      tx.burst(model.burst, 4);
      tx.close();
      assert.equal(model.pool.free, 16);
      assert.throws(() => tx.burst(model.burst, 0), /closed/);
    });
  });
}
