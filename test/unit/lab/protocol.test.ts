import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { InputPump } from '../../../lab/input-pump.js';
import { encodeFrame, encodeRun, FrameReader, inputWindow } from '../../../lab/protocol.js';

describe('lab: frames', () => {
  it('come out as they went in, however the bytes arrive', () => {
    const bytes = Buffer.concat([encodeFrame('Y'), encodeFrame('O', 'héllo'), encodeFrame('X', 'exit 3')]);
    const reader = new FrameReader();
    const frames = [...bytes].flatMap(byte => reader.push(Buffer.from([byte])));
    assert.deepEqual(
      frames.map(({ type, data }) => [type, data.toString()]),
      [
        ['Y', ''],
        ['O', 'héllo'],
        ['X', 'exit 3'],
      ],
    );
  });

  it('hold a request as strings that a C program can walk', () => {
    const frame = encodeRun({
      argv: ['a b', ''],
      cwd: '/x',
      env: { A: '1' },
      tty: { rows: 24, columns: 80 },
    });
    assert.equal(frame.toString('utf8', 5), 'tty\x0024\x0080\0/x\x002\0a b\0\0A=1\0');
  });

  it('refuse an argument with a NUL, which would shift all that follows', () => {
    assert.throws(
      () => encodeRun({ argv: ['a\0b'], cwd: '/', env: {} }),
      /holds a NUL character: "a\\u0000b"/,
    );
  });
});

describe('lab: standard input', () => {
  const turn = (): Promise<void> => new Promise(resolve => setImmediate(resolve));

  it('stops at the window and goes on as bytes are taken, then says the end', async () => {
    const stdin = new PassThrough({ highWaterMark: 4 * inputWindow });
    const reader = new FrameReader();
    let sent = '';
    const pump = new InputPump(stdin, bytes => {
      for (const { type, data } of reader.push(bytes)) sent += type === 'I' ? data.toString() : `<${type}>`;
    });
    stdin.end('x'.repeat(inputWindow + 10));
    await turn();
    assert.equal(sent.length, inputWindow);
    pump.acknowledge(4);
    assert.equal(sent.length, inputWindow + 4);
    pump.acknowledge(100);
    await turn();
    assert.equal(sent.slice(inputWindow), `${'x'.repeat(10)}<E>`);
  });

  it('ends at once when there is none', () => {
    const frames: Buffer[] = [];
    new InputPump(undefined, frame => frames.push(frame));
    assert.deepEqual(frames, [encodeFrame('E')]);
  });

  it('leaves what the command did not want in the stream', async () => {
    const stdin = new PassThrough();
    const pump = new InputPump(stdin, () => undefined);
    pump.stop();
    stdin.end('later');
    await turn();
    assert.equal(String(stdin.read()), 'later');
  });
});
