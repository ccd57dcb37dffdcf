import assert from 'node:assert/strict';
import { type FrameEdit, Forwarder, type Nic } from 'vfio/kit';
import { BurstForwarder } from '../../../examples/forwarder/burst-forwarder.js';
import { Model, sequence } from '../kit/model.js';

type Port = Pick<Nic, 'name' | 'pool' | 'rxBurst' | 'txBurst'>;

/** A NIC whose rings nobody knows of. */
function portOf({ pool, rx, tx }: Model): Port {
  return {
    name: '0000:03:00.0',
    pool,
    rxBurst: (burst, max) => rx.burst(burst, max),
    txBurst: (burst, count, from) => tx.burst(burst, count, from),
  };
}

describe('examples/forwarder: by bursts', () => {
  it('moves frames in order, in bursts of every size, and loses no buffer', () => {
    for (let max = 1; max <= 8; max++) {
      const model = new Model();
      const forwarder = new BurstForwarder(portOf(model), portOf(model));
      const seen: number[] = [];
      let sent = 0;
      let forwarded = 0;
      while (seen.length < 100) {
        while (sent < 100 && model.deliver(sent)) sent++;
        forwarded += forwarder.forward(max);
        seen.push(...model.send());
      }
      assert.deepEqual(seen, sequence(100));
      assert.equal(forwarded, 100);
      assert.equal(model.pool.free + model.tx.inFlight, 56);
    }
  });

  it('keeps frames that the other NIC has no room for, and sends them first', () => {
    const model = new Model();
    const forwarder = new BurstForwarder(portOf(model), portOf(model));
    for (let i = 0; i < 5; i++) model.deliver(i);
    assert.equal(forwarder.forward(8), 5);
    for (let i = 5; i < 12; i++) model.deliver(i);
    assert.equal(forwarder.forward(8), 2);
    assert.equal(forwarder.waiting, true);
    assert.equal(forwarder.forward(8), 0);
    assert.deepEqual(model.send(3), [0, 1, 2]);
    assert.equal(forwarder.forward(1), 1);
    assert.deepEqual(model.send(), sequence(5, 3));
    assert.equal(forwarder.forward(8), 4);
    assert.equal(forwarder.waiting, false);
    model.deliver(12);
    assert.equal(forwarder.forward(8), 1);
    assert.deepEqual(model.send(), sequence(5, 8));
    assert.equal(forwarder.forward(8), 0);
  });

  it('changes frames as the Forwarder of the kit does', () => {
    const edits: FrameEdit[] = [
      { kind: 'write', at: 3, bytes: Uint8Array.of(200, 201, 202) },
      { kind: 'swap', at: 0, with: 6, length: 6 },
      { kind: 'add', at: 22, value: -30 },
      { kind: 'add', at: 23, value: 255 },
    ];
    const changed = (make: (model: Model) => { forward(max: number): number }): Uint8Array => {
      const model = new Model();
      const forwarder = make(model);
      model.deliver(0);
      const at = model.buffer(model.rx, 0);
      model.arena.u8.set(sequence(64), at);
      assert.equal(forwarder.forward(1), 1);
      return model.arena.u8.slice(at, at + 64);
    };
    const expected = changed(({ rx, tx }) => new Forwarder(rx, tx, edits));
    assert.notDeepEqual(expected, Uint8Array.from(sequence(64)));
    assert.deepEqual(
      changed(model => new BurstForwarder(portOf(model), portOf(model), edits)),
      expected,
    );
  });

  it('refuses NICs that do not share a pool', () => {
    assert.throws(
      () => new BurstForwarder(portOf(new Model()), portOf(new Model())),
      /must share a pool of buffers/,
    );
  });
});
