import assert from 'node:assert/strict';
import { isOurs, leakOutcome, parseLeaks } from '../../support/sanitize/leaks.js';

const frame = (number: number, text: string): string => `    #${number} 0x7f49f3ab94c8 in ${text}\n`;
const block = (kind: string, ...frames: string[]): string =>
  `${kind} leak of 80 byte(s) in 2 object(s) allocated from:\n${frames.map((text, i) => frame(i, text)).join('')}\n`;

const allocator = 'operator new(unsigned long) ../../../../src/libsanitizer/asan/asan_new_delete.cpp:95';
const reference = 'napi_create_reference (/usr/bin/node+0xc50f19)';
const ours = 'vfio::Loop::start(Napi::Function) ../native/loop.cc:52';
const engine = 'v8::internal::Builtin_HandleApiCall(int, unsigned long*) (/usr/bin/node+0xf51914)';
const library =
  'std::__new_allocator<int>::allocate(unsigned long, void const*) /usr/include/c++/12/bits/new_allocator.h:137';

describe('leak reports', () => {
  const heading = '==1==ERROR: LeakSanitizer: detected memory leaks\n\n';

  it('are read without what only hangs on other leaks', () => {
    const leaks = parseLeaks(
      heading + block('Direct', allocator, reference, ours) + block('Indirect', allocator, ours),
    );
    assert.deepEqual(leaks, [{ bytes: 80, objects: 2, stack: [reference, ours] }]);
    assert.deepEqual(parseLeaks(''), []);
  });

  it('blame us for what we allocate, or get to keep', () => {
    for (const stack of [
      [ours],
      [library, ours],
      [reference, ours],
      ['napi_create_promise (/usr/bin/node+1)', ours],
    ])
      assert(isOurs({ bytes: 1, objects: 1, stack: [...stack, engine] }), stack.join());
  });

  it('do not blame us for what Node allocates, also where we called it', () => {
    for (const stack of [[], [engine], ['napi_wrap (/usr/bin/node+1)', ours], [engine, reference, ours]])
      assert(!isOurs({ bytes: 1, objects: 1, stack }), stack.join());
  });

  it('fail on ours, and say what they let pass', () => {
    const bad = leakOutcome(
      heading + block('Direct', allocator, reference, ours) + block('Direct', allocator, engine),
    );
    assert.equal(bad.state, 'failed');
    assert.match(bad.detail ?? '', /80 bytes in 2 objects\n {2}napi_create_reference/);
    const task = 'vfio::Task::start(vfio::Call&) ../native/blocking.cc:11';
    const good = leakOutcome(block('Direct', allocator, 'napi_create_promise (/usr/bin/node+1)', task));
    assert.equal(good.state, 'passed');
    assert.match(
      good.note,
      /^0 objects leaked by the addon; 0 objects by Node itself.*; 2 objects let pass: a call/,
    );
  });
});
