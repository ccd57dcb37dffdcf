import assert from 'node:assert/strict';
import { type CpioEntry, writeCpio } from '../../../lab/cpio.js';

/** Reads an archive back, field by field, as the format's description has it. */
function parse(archive: Buffer): { name: string; mode: number; data: string; links: number }[] {
  const entries = [];
  for (let at = 0; at < archive.length;) {
    assert.equal(archive.toString('latin1', at, at + 6), '070701', `magic at ${at}`);
    const field = (index: number): number =>
      parseInt(archive.toString('latin1', at + 6 + index * 8, at + 14 + index * 8), 16);
    const nameEnd = at + 110 + field(11);
    const name = archive.toString('utf8', at + 110, nameEnd - 1);
    const start = (nameEnd + 3) & ~3;
    const end = start + field(6);
    entries.push({ name, mode: field(1), data: archive.toString('utf8', start, end), links: field(4) });
    at = (end + 3) & ~3;
  }
  return entries;
}

describe('lab: cpio archive', () => {
  const entries: CpioEntry[] = [
    { path: 'bin', type: 'directory' },
    { path: 'bin/tool', type: 'file', data: Buffer.from('hello'), mode: 0o755 },
    { path: 'bin/empty', type: 'file', data: new Uint8Array(0), mode: 0o644 },
    { path: 'sh', type: 'link', target: 'bin/tool' },
  ];

  it('holds what was put in, and ends with the trailer', () => {
    assert.deepEqual(parse(writeCpio(entries)), [
      { name: 'bin', mode: 0o040755, data: '', links: 2 },
      { name: 'bin/tool', mode: 0o100755, data: 'hello', links: 1 },
      { name: 'bin/empty', mode: 0o100644, data: '', links: 1 },
      { name: 'sh', mode: 0o120777, data: 'bin/tool', links: 1 },
      { name: 'TRAILER!!!', mode: 0, data: '', links: 1 },
    ]);
  });

  it('is the same for the same contents', () => {
    assert.deepEqual(writeCpio(entries), writeCpio(entries));
  });

  it('takes a view into a larger buffer for just that view', () => {
    const whole = new Uint8Array([1, 2, 65, 66, 5]);
    const [entry] = parse(writeCpio([{ path: 'x', type: 'file', data: whole.subarray(2, 4), mode: 0o600 }]));
    assert.equal(entry?.data, 'AB');
  });
});
