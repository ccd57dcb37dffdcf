import type { FrameEdit } from '../frame-edit';
import * as w from './code';
import type { Code, Local } from './code';

/** What changes the frame whose handle is in a local. */
export function editCode(edits: readonly FrameEdit[], handle: Local): Code {
  return w.seq(...edits.map(edit => one(edit, handle)));
}

function one(edit: FrameEdit, handle: Local): Code {
  const frame = w.get(handle);
  switch (edit.kind) {
    case 'write':
      return w.seq(...pieces(edit.bytes.length).map(piece => write(edit.at, edit.bytes, piece, frame)));
    case 'swap':
      return w.seq(...pieces(edit.length).map(piece => swap(edit.at, edit.with, piece, frame)));
    case 'add':
      return w.store8(frame, edit.at, w.add(w.load8(frame, edit.at), w.i32(edit.value)));
  }
}

interface Piece {
  readonly start: number;
  readonly bytes: 1 | 2 | 4 | 8;
}

/** A run of bytes as the fewest accesses. */
function pieces(length: number): Piece[] {
  const list: Piece[] = [];
  for (let start = 0; start < length;) {
    const rest = length - start;
    const bytes = rest >= 8 ? 8 : rest >= 4 ? 4 : rest >= 2 ? 2 : 1;
    list.push({ start, bytes });
    start += bytes;
  }
  return list;
}

function write(at: number, bytes: Uint8Array, piece: Piece, frame: Code): Code {
  let value = 0n;
  for (let i = piece.bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[piece.start + i] ?? 0);
  const offset = at + piece.start;
  if (piece.bytes === 8) return w.unaligned.store64(frame, offset, w.i64(value));
  const store = { 1: w.store8, 2: w.unaligned.store16, 4: w.unaligned.store32 }[piece.bytes];
  return store(frame, offset, w.i32(Number(value)));
}

/** Both values are on the stack before either is stored: address, value of the other; address, value of the first. */
function swap(a: number, b: number, piece: Piece, frame: Code): Code {
  const { load16, load32, load64 } = w.unaligned;
  const load = { 1: w.load8, 2: load16, 4: load32, 8: load64 }[piece.bytes];
  const store = w.storeStacked[piece.bytes];
  return [
    ...frame,
    ...load(frame, b + piece.start),
    ...frame,
    ...load(frame, a + piece.start),
    ...store(b + piece.start),
    ...store(a + piece.start),
  ];
}
