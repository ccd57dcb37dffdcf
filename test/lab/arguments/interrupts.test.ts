import assert from 'node:assert/strict';
import { EventFd, type IrqVector } from 'vfio';
import { devices } from '../../../lab/devices';
import { opened } from '../support/bound';
import { loopback } from '../support/interrupts';
import { labSuite } from '../support/suite';
import { any, between, isBoolean, never, optional, wrongArguments } from '../support/wrong-arguments';

labSuite('wrong arguments: interrupts', () => {
  const nic = opened(devices.nicA);
  const edu = opened(devices.edu);
  let vector: IrqVector;
  let eventfd: EventFd;
  before(() => {
    [vector] = nic.device.msix.enable(1);
    eventfd = new EventFd();
  });
  after(() => {
    vector.close();
    eventfd.close();
  });
  const msix = () => nic.device.msix;

  wrongArguments((add, addOptions) => {
    const timeout = optional(between(0, 2 ** 31 - 1));
    addOptions(
      'IrqVector.wait',
      'options',
      { timeoutMs: timeout, signal: v => v === undefined },
      v => vector.wait(any(v)),
      true,
    );
    add('IrqVector.waitSync', 'timeoutMs', timeout, v => vector.waitSync(any(v)));
    addOptions('IrqVector.interrupts', 'options', { signal: v => v === undefined }, v =>
      vector.interrupts(any(v)).return?.(),
    );
    const free = { start: 1 };
    add('MessageInterrupts.enable', 'count', between(1, 4), v => msix().enable({ ...free, count: any(v) }));
    add('MessageInterrupts.enable', 'start', optional(between(0, 4)), v =>
      msix().enable({ count: 1, start: any(v) }),
    );
    add('MessageInterrupts.enable', 'counts', optional(isBoolean), v =>
      msix().enable({ ...free, count: 1, counts: any(v) }),
    );
    add('MessageInterrupts.enable', 'starts', never, v => msix().enable(any({ count: 1, starts: v })));
    add('MessageInterrupts.vector', 'index', between(0, 2047), v => msix().vector(any(v)));
    add('MessageInterrupts.disable', 'start', optional(between(0, 4)), v =>
      msix().disable({ count: 1, start: any(v) }),
    );
    add('MessageInterrupts.disable', 'count', between(1, 4), v => msix().disable({ ...free, count: any(v) }));
    const intxOptions = { counts: optional(isBoolean), unmaskEventFd: optional(isBoolean) };
    addOptions('Intx.enable', 'options', intxOptions, v => edu.device.intx.enable(any(v)));
    add('EventFd.signal', 'count', optional(between(1, 2 ** 32 - 1)), v => eventfd.signal(any(v)));
  });

  it('and the vector that was enabled all the time works', async () => {
    assert.deepEqual(msix().enabled, [vector]);
    assert.equal(edu.device.intx.enabled, undefined);
    await loopback([vector]);
  });
});
