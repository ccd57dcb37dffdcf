import assert from 'node:assert/strict';
import { checksum, pseudoHeaderSum, updateChecksum } from '../../../examples/ping/checksum.js';
import { referenceChecksum } from './frames.js';

describe('examples/ping: Internet checksum', () => {
  it('agrees with the example of RFC 1071', () => {
    const bytes = Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7);
    assert.equal(checksum(bytes, 0, bytes.length), ~0xddf2 & 0xffff);
  });

  it('agrees with the definition for every length up to 64, odd ones included, anywhere in a buffer', () => {
    const bytes = Uint8Array.from({ length: 80 }, (_, i) => (i * 151 + 7) & 0xff);
    for (let length = 0; length <= 64; length++) {
      for (const start of [0, 1, 13]) {
        const part = bytes.subarray(start, start + length);
        assert.equal(
          checksum(bytes, start, start + length),
          referenceChecksum(part),
          `${length} at ${start}`,
        );
      }
    }
  });

  it('folds the carries of a full frame of ones', () => {
    assert.equal(checksum(new Uint8Array(1500).fill(0xff), 0, 1500), 0);
  });

  it('is updated as if it were computed anew', () => {
    for (let word = 0; word <= 0xffff; word += 257) {
      const before = Uint8Array.of(0x08, 0x00, word >> 8, word & 0xff, 0x55, 0xaa);
      const after = Uint8Array.of(0x00, 0x00, word >> 8, word & 0xff, 0x55, 0xaa);
      assert.equal(updateChecksum(checksum(before, 0, 6), 0x0800, 0), checksum(after, 0, 6), `word ${word}`);
    }
  });

  it('begins with the pseudo header for a NIC to complete it', () => {
    // A datagram from 10.0.0.2:53 to 10.0.0.1:9 with 3 bytes.
    const packet = Uint8Array.of(
      ...[0x45, 0, 0, 31, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 2, 10, 0, 0, 1],
      ...[0, 53, 0, 9, 0, 11, 0, 0, 1, 2, 3],
    );
    // 0x0a00 + 0x0002 + 0x0a00 + 0x0001, the protocol 17, the length 11.
    assert.equal(pseudoHeaderSum(packet, 0, 11), 0x1403 + 17 + 11);
    const large = Uint8Array.from(packet).fill(0xff, 12, 20);
    assert.equal(pseudoHeaderSum(large, 0, 0xffff), 17);
  });
});
