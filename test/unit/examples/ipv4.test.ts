import assert from 'node:assert/strict';
import { formatIpv4, parseIpv4 } from '../../../examples/ping/ipv4.js';

describe('examples/ping: IPv4 addresses', () => {
  it('reads and writes them', () => {
    for (const text of ['10.77.0.2', '192.168.255.1', '223.255.255.254', '1.0.0.0']) {
      assert.equal(formatIpv4(parseIpv4(text)), text);
    }
  });

  for (const text of [
    '',
    '10.0.0',
    '10.0.0.0.1',
    '10.0.0.256',
    '10.0.0.-1',
    '10.0.0.1 ',
    '010.0.0.1',
    '10..0.1',
    'a.b.c.d',
    '::1',
  ]) {
    it(`refuses '${text}'`, () =>
      assert.throws(() => parseIpv4(text), { name: 'TypeError', message: /not an IPv4 address/ }));
  }

  for (const text of ['0.0.0.0', '127.0.0.1', '224.0.0.1', '255.255.255.255']) {
    it(`refuses ${text}, which no host has`, () =>
      assert.throws(() => parseIpv4(text), /cannot be the address of a host/));
  }
});
