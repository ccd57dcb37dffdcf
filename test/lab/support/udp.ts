/** UDP between the kernel's end of a wire and ours. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { checksum } from '../../../examples/ping/checksum';
import { runOrThrow } from '../../../examples/ping/demo/command';

/** Ethernet, IPv4 and UDP. */
export const HEADERS = 14 + 20 + 8;
/** A payload that fills an Ethernet frame. */
export const FULL = 1472;

export interface Ends {
  readonly fromMac: Iterable<number>;
  readonly toMac: Iterable<number>;
  readonly fromIp: Iterable<number>;
  readonly toIp: Iterable<number>;
  /** Of both. */
  readonly port: number;
}

/** Writes a frame into a buffer and returns its length. */
export function writeUdpFrame(buffer: Uint8Array, ends: Ends, payload: Uint8Array): number {
  const { fromMac, toMac, fromIp, toIp, port } = ends;
  const udp = 8 + payload.length;
  const total = 20 + udp;
  const header = Uint8Array.of(
    ...[...toMac, ...fromMac, 0x08, 0x00],
    ...[0x45, 0, total >> 8, total & 0xff, 0, 0, 0x40, 0, 64, 17, 0, 0, ...fromIp, ...toIp],
    ...[port >> 8, port & 0xff, port >> 8, port & 0xff, udp >> 8, udp & 0xff, 0, 0],
  );
  const sum = checksum(header, 14, 34);
  header.set([sum >> 8, sum & 0xff], 24);
  buffer.set(header);
  buffer.set(payload, HEADERS);
  return HEADERS + payload.length;
}

const RECEIVE_LIMIT = '/proc/sys/net/core/rmem_max';
const RECEIVE_BYTES = 4 << 20;

/**
 * A socket on the kernel's end. It keeps what comes while this process has no time, where the system's own limit is a hundred
 * datagrams or so: whatever is lost was lost on the way to it.
 */
export async function bindSocket(port: number, ip: string): Promise<Socket> {
  writeFileSync(RECEIVE_LIMIT, String(RECEIVE_BYTES));
  const socket = createSocket({ type: 'udp4', recvBufferSize: RECEIVE_BYTES });
  socket.bind(port, ip);
  await once(socket, 'listening');
  return socket;
}

/** The next `count` datagrams that a socket gets. */
export function datagrams(socket: Socket, count: number, timeoutMs: number): Promise<Buffer[]> {
  return new Promise((resolve, reject) => {
    const got: Buffer[] = [];
    const end = (error?: Error): void => {
      clearTimeout(timer);
      socket.off('message', take);
      if (error === undefined) resolve(got);
      else reject(error);
    };
    const take = (message: Buffer): void => {
      if (got.push(message) === count) end();
    };
    const timer = setTimeout(() => end(new Error(`${got.length} of ${count} datagrams arrived`)), timeoutMs);
    socket.on('message', take);
  });
}

/** Tells the kernel who has an address, so that it need not ask. */
export async function setNeighbour(interfaceName: string, ip: string, mac: string): Promise<void> {
  await runOrThrow('ip', ['neigh', 'replace', ip, 'lladdr', mac, 'dev', interfaceName, 'nud', 'permanent']);
}
