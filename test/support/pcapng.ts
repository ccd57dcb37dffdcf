import assert from 'node:assert/strict';

/** A frame in a capture file. */
export interface CapturedFrame {
  milliseconds: number;
  data: Buffer;
}

/** Reads a pcapng file with one section and one interface, strictly: anything else than what it has to be fails. */
export function readPcapng(file: Buffer): {
  interfaceName: string;
  linkType: number;
  packets: CapturedFrame[];
} {
  const blocks: { type: number; body: Buffer }[] = [];
  for (let at = 0; at < file.length;) {
    const length = file.readUInt32LE(at + 4);
    assert(
      length >= 12 && length % 4 === 0 && at + length <= file.length,
      `a block of ${length} bytes at ${at}`,
    );
    assert.equal(file.readUInt32LE(at + length - 4), length, 'its length again at its end');
    blocks.push({ type: file.readUInt32LE(at), body: file.subarray(at + 8, at + length - 4) });
    at += length;
  }
  const [section, description, ...rest] = blocks;
  assert(section !== undefined && description !== undefined);
  assert.deepEqual([section.type, section.body.readUInt32LE(0)], [0x0a0d0d0a, 0x1a2b3c4d]);
  assert.deepEqual([section.body.readUInt16LE(4), section.body.readUInt16LE(6)], [1, 0]);
  assert.equal(description.type, 1);
  const options = readOptions(description.body.subarray(8));
  assert.deepEqual(options.get(9), Buffer.of(9), 'nanoseconds');
  const packets = rest.map(({ type, body }) => {
    assert.deepEqual([type, body.readUInt32LE(0)], [6, 0]);
    const nanoseconds = (body.readBigUInt64LE(4) >> 32n) | ((body.readBigUInt64LE(4) & 0xffffffffn) << 32n);
    const length = body.readUInt32LE(12);
    assert.equal(body.readUInt32LE(16), length);
    return { milliseconds: Number(nanoseconds) / 1e6, data: Buffer.from(body.subarray(20, 20 + length)) };
  });
  return {
    interfaceName: options.get(2)?.toString() ?? '',
    linkType: description.body.readUInt16LE(0),
    packets,
  };
}

function readOptions(bytes: Buffer): Map<number, Buffer> {
  const options = new Map<number, Buffer>();
  for (let at = 0; at < bytes.length;) {
    const [code, length] = [bytes.readUInt16LE(at), bytes.readUInt16LE(at + 2)];
    if (code === 0) break;
    options.set(code, Buffer.from(bytes.subarray(at + 4, at + 4 + length)));
    at += 4 + ((length + 3) & ~3);
  }
  return options;
}
