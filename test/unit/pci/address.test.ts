import assert from 'node:assert/strict';
import { parseAddress } from '../../../lib/index.js';

describe('parseAddress', () => {
  const good: Record<string, string> = {
    '0000:03:00.0': '0000:03:00.0',
    '03:00.0': '0000:03:00.0',
    'ff:1f.7': '0000:ff:1f.7',
    '0001:AB:1C.5': '0001:ab:1c.5',
    '10000:e1:00.0': '10000:e1:00.0',
    'ffffffff:00:00.0': 'ffffffff:00:00.0',
  };
  for (const [given, expected] of Object.entries(good)) {
    it(`reads ${given}`, () => assert.equal(parseAddress(given), expected));
  }

  const bad = [
    '',
    ' ',
    '3:0.0',
    '03:00',
    '03:00.8',
    '03:20.0',
    '003:00.0',
    '000:03:00.0',
    '0000:03:00.0 ',
    ' 03:00.0',
    '0000:03:00.0\n',
    '0000:03:00.0/../..',
    '0000:03:00:0',
    '0000-03-00.0',
    'g0:00.0',
    '123456789:03:00.0',
    '../../etc',
    '0000:03:00.0\0',
    'x'.repeat(1e6),
  ];
  for (const given of bad) {
    it(`refuses ${JSON.stringify(given.slice(0, 30))}`, () => {
      assert.throws(
        () => parseAddress(given),
        (error: NodeJS.ErrnoException) => {
          assert(error instanceof TypeError);
          assert.equal(error.code, 'ERR_INVALID_ARG_VALUE');
          assert.match(
            error.message,
            /^address must be a PCI address such as '0000:03:00.0' or '03:00.0'; got '/,
          );
          assert(error.message.length < 200);
          return true;
        },
      );
    });
  }
});
