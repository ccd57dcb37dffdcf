import assert from 'node:assert/strict';
import type { IrqVector } from 'vfio';

/** Long enough for an interrupt that should not come, in a machine without hardware acceleration. */
const patienceMs = 40;

/** Nothing arrives on any of these vectors. */
export async function silence(...vectors: IrqVector[]): Promise<void> {
  const totals = vectors.map(vector => vector.total);
  const waits = vectors.map(vector => vector.wait({ timeoutMs: patienceMs }));
  for (const wait of await Promise.allSettled(waits)) {
    assert.equal(wait.status, 'rejected', 'an interrupt came');
    assert.equal((wait.reason as { code: string }).code, 'ERR_VFIO_TIMEOUT');
  }
  assert.deepEqual(
    vectors.map(vector => vector.total),
    totals,
  );
}

/** Triggers each vector by software and checks that it, and only it, fires. */
export async function loopback(vectors: readonly IrqVector[]): Promise<void> {
  const totals = new Map(vectors.map(vector => [vector, vector.total]));
  for (const vector of vectors) {
    vector.trigger();
    assert.equal(await vector.wait({ timeoutMs: 20_000 }), 1, `vector ${vector.index}`);
  }
  for (const [vector, total] of totals) assert.equal(vector.total, total + 1, `vector ${vector.index}`);
}
