/** Counts frames by what is in them. */
import { get16, get8 } from '../ping/bytes.js';
import { Ethernet, ETHERNET_HEADER, EtherType } from '../ping/ethernet.js';
import { Ipv4, IPV4_HEADER } from '../ping/ipv4.js';

const IPV6 = 0x86dd;
const kinds = ['arp', 'icmp', 'tcp', 'udp', 'other-ipv4', 'ipv6', 'other'] as const;
export type FrameKind = (typeof kinds)[number];

export class FrameCounters {
  readonly frames: Record<FrameKind, number>;
  readonly bytes: Record<FrameKind, number>;

  constructor() {
    this.frames = zeroes();
    this.bytes = zeroes();
  }

  /** Counts the frame of `length` bytes that starts at `at` in `memory`. */
  add(memory: Uint8Array, at: number, length: number): void {
    const kind = kindOf(memory, at, length);
    this.frames[kind]++;
    this.bytes[kind] += length;
  }

  /** Adds what others counted; returns how many frames that were. */
  addAll(others: Pick<FrameCounters, 'frames' | 'bytes'>): number {
    const before = this.totalFrames;
    for (const kind of kinds) {
      this.frames[kind] += others.frames[kind];
      this.bytes[kind] += others.bytes[kind];
    }
    return this.totalFrames - before;
  }

  get totalFrames(): number {
    return kinds.reduce((sum, kind) => sum + this.frames[kind], 0);
  }

  /** A line for each kind that there was. */
  toString(): string {
    return kinds
      .filter(kind => this.frames[kind] > 0)
      .map(kind => `${kind.padEnd(12)}${this.frames[kind]} frames, ${this.bytes[kind]} bytes`)
      .join('\n');
  }
}

export function kindOf(memory: Uint8Array, at: number, length: number): FrameKind {
  if (length < ETHERNET_HEADER) return 'other';
  const type = get16(memory, at + Ethernet.TYPE);
  if (type === EtherType.ARP) return 'arp';
  if (type === IPV6) return 'ipv6';
  if (type !== EtherType.IPV4) return 'other';
  if (length < ETHERNET_HEADER + IPV4_HEADER) return 'other-ipv4';
  switch (get8(memory, at + Ipv4.PROTOCOL)) {
    case 1:
      return 'icmp';
    case 6:
      return 'tcp';
    case 17:
      return 'udp';
    default:
      return 'other-ipv4';
  }
}

function zeroes(): Record<FrameKind, number> {
  return Object.fromEntries(kinds.map(kind => [kind, 0])) as Record<FrameKind, number>;
}
