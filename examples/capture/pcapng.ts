/**
 * The pcapng file format (draft-ietf-opsawg-pcapng): blocks of type, length, contents, length again, all in multiples of
 * four bytes. Wireshark and tcpdump read it.
 */
const Block = { SECTION: 0x0a0d0d0a, INTERFACE: 1, PACKET: 6 } as const;
const BYTE_ORDER = 0x1a2b3c4d;
const LINK_ETHERNET = 1;
const Option = { END: 0, NAME: 2, RESOLUTION: 9 } as const;
/** Timestamps are nanoseconds: ten to the minus nine. */
const NANOSECONDS = 9;
/** An enhanced packet block without the packet. */
const PACKET_OVERHEAD = 32;

/** What a file begins with: a section, and one interface in it. */
export function fileHeader(interfaceName: string, snapLength: number): Buffer {
  const section = Buffer.alloc(16);
  section.writeUInt32LE(BYTE_ORDER, 0);
  section.writeUInt16LE(1, 4); // version 1.0
  section.writeBigInt64LE(-1n, 8); // how long the section is, is not said
  const description = Buffer.alloc(8);
  description.writeUInt16LE(LINK_ETHERNET, 0);
  description.writeUInt32LE(snapLength, 4);
  const options = [
    option(Option.NAME, Buffer.from(interfaceName)),
    option(Option.RESOLUTION, Buffer.of(NANOSECONDS)),
    option(Option.END, Buffer.alloc(0)),
  ];
  return Buffer.concat([
    block(Block.SECTION, section),
    block(Block.INTERFACE, Buffer.concat([description, ...options])),
  ]);
}

/** How many bytes a frame takes in a file. */
export function packetBytes(length: number): number {
  return PACKET_OVERHEAD + padded(length);
}

/**
 * Writes the block of a frame, the `length` bytes at `from` in `memory`, into `file` at `at`, without allocating.
 *
 * @param timeHigh,timeLow nanoseconds since 1970
 * @returns where the next one goes
 */
export function writePacket(
  file: Buffer,
  at: number,
  memory: Uint8Array,
  from: number,
  length: number,
  timeHigh: number,
  timeLow: number,
): number {
  const bytes = packetBytes(length);
  file.writeUInt32LE(Block.PACKET, at);
  file.writeUInt32LE(bytes, at + 4);
  file.writeUInt32LE(0, at + 8); // the first interface
  file.writeUInt32LE(timeHigh, at + 12);
  file.writeUInt32LE(timeLow, at + 16);
  file.writeUInt32LE(length, at + 20);
  file.writeUInt32LE(length, at + 24);
  for (let i = 0; i < length; i++) file[at + 28 + i] = memory[from + i] as number;
  file.fill(0, at + 28 + length, at + bytes - 4);
  file.writeUInt32LE(bytes, at + bytes - 4);
  return at + bytes;
}

function block(type: number, contents: Buffer): Buffer {
  const result = Buffer.alloc(12 + padded(contents.length));
  result.writeUInt32LE(type, 0);
  result.writeUInt32LE(result.length, 4);
  contents.copy(result, 8);
  result.writeUInt32LE(result.length, result.length - 4);
  return result;
}

function option(code: number, value: Buffer): Buffer {
  const result = Buffer.alloc(4 + padded(value.length));
  result.writeUInt16LE(code, 0);
  result.writeUInt16LE(value.length, 2);
  value.copy(result, 4);
  return result;
}

function padded(length: number): number {
  return (length + 3) & ~3;
}
