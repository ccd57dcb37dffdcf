import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { adopt, type Mapping, type Shared } from '../../../lib/index.js';
import { native } from '../../../lib/native.js';
import { looseBuffer } from '../../support/loose.js';
import { looseVector } from '../../support/vector.js';
import { values } from '../../support/wrong-values.js';

const adoptAny = adopt as (token: unknown) => unknown;
const key = '0123456789abcdef0123456789abcdef';

describe('tokens', () => {
  it('that are none are refused by a TypeError', () => {
    const near = [
      { vfio: 'mapping' },
      { key },
      { vfio: 'device', key },
      { vfio: 'mapping', key: key.slice(1) },
      { vfio: 'mapping', key: key.toUpperCase() },
      { vfio: 'mapping', key: `${key}0` },
      { vfio: ['mapping'], key },
      new Proxy(
        {},
        {
          get: () => {
            throw new Error('a trap');
          },
        },
      ),
    ];
    for (const wrong of [...Object.values(values), ...near]) {
      assert.throws(() => adoptAny(wrong), {
        name: 'TypeError',
        code: 'ERR_INVALID_ARG_TYPE',
        message: /^shared must be what share\(\) of a mapping, a DMA buffer or a vector returned; got /,
      });
    }
  });

  it('that are forged, or of another kind, are refused with a cause and a cure', () => {
    const before = native().liveObjects();
    using buffer = looseBuffer();
    const { vector } = looseVector();
    const real = [buffer.share().key, vector.share().key];
    const keys = [key, ...Array.from({ length: 1000 }, () => randomBytes(16).toString('hex'))];
    for (const forged of keys) {
      for (const vfio of ['mapping', 'buffer', 'vector']) {
        assert.throws(() => adoptAny({ vfio, key: forged }), {
          name: 'VfioError',
          code: 'ERR_VFIO_NOT_SHARED',
          message: /is shared under that key\. Likely cause: it was closed, .*\. Try: share\(\) it again/,
        });
      }
    }
    for (const [i, vfio] of ['vector', 'mapping'].entries())
      assert.throws(() => adoptAny({ vfio, key: real[i] }), { code: 'ERR_VFIO_NOT_SHARED' });
    vector.close();
    buffer.free();
    assert.deepEqual(native().liveObjects(), before);
  });

  it('tell nothing of what they stand for, and differ', () => {
    using buffer = looseBuffer();
    using other = looseBuffer();
    const token = buffer.share();
    assert.deepEqual(structuredClone(token), { vfio: 'buffer', key: token.key });
    assert.match(token.key, /^[0-9a-f]{32}$/);
    assert.notEqual(other.share().key, token.key);
  });

  it('are of no use when what they stand for is gone', () => {
    const buffer = looseBuffer();
    const { vector } = looseVector();
    const tokens: Shared<Mapping>[] = [buffer.share(), vector.share()] as never;
    buffer.free();
    vector.close();
    for (const token of tokens) assert.throws(() => adopt(token), { code: 'ERR_VFIO_NOT_SHARED' });
    assert.throws(() => buffer.share(), { code: 'ERR_VFIO_CLOSED' });
    assert.throws(() => vector.share(), { code: 'ERR_VFIO_CLOSED' });
  });
});
