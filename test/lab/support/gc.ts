import assert from 'node:assert/strict';

/** Has what nobody holds collected and its finalizers run, until that shows: what a stack still held goes next time. */
export async function collectUntil(done: () => boolean): Promise<void> {
  const gc = globalThis.gc ?? assert.fail('needs --expose-gc');
  for (let i = 0; i < 10; i++) {
    gc();
    await new Promise(resolve => setImmediate(resolve));
    if (done()) return;
  }
  assert.fail('something is left that nobody should hold');
}

/** Has what nobody holds collected. */
export async function collect(): Promise<void> {
  let rounds = 0;
  await collectUntil(() => ++rounds === 3);
}
