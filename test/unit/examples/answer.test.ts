import assert from 'node:assert/strict';
import { answer } from '../../../examples/ping/answer.js';
import {
  arpRequest,
  BROADCAST,
  change,
  echoRequest,
  type EchoOptions,
  ethernet,
  OUR_IP,
  OUR_MAC,
  referenceChecksum,
  station,
  THEIR_IP,
  THEIR_MAC,
} from './frames.js';

const MULTICAST = Uint8Array.of(1, 0, 0x5e, 0, 0, 1);

/** The answer to a frame in a 2048-byte buffer as the NIC fills it: with garbage behind the frame. */
function reply(frame: Uint8Array, length = frame.length): Uint8Array {
  const buffer = new Uint8Array(2048).fill(0xa5);
  buffer.set(frame);
  const out = new Uint8Array(2048).fill(0x5a);
  const bytes = answer(buffer, length, out, station);
  assert.deepEqual(buffer.subarray(0, frame.length), frame, 'the request stays as it was');
  assert.ok(
    out.subarray(bytes).every(byte => byte === 0x5a) || bytes === 0,
    'nothing is written behind the answer',
  );
  return out.subarray(0, bytes);
}

function ignored(frame: Uint8Array, why: string): void {
  assert.equal(reply(frame).length, 0, why);
}

describe('examples/ping: ARP', () => {
  it('answers a broadcast request for our address', () => {
    const expected = Uint8Array.of(0, 1, 8, 0, 6, 4, 0, 2, ...OUR_MAC, ...OUR_IP, ...THEIR_MAC, ...THEIR_IP);
    assert.deepEqual(reply(arpRequest()), ethernet(THEIR_MAC, OUR_MAC, 0x0806, expected));
  });

  it('answers a request sent to us alone, and one with padding', () => {
    assert.equal(reply(arpRequest({}, OUR_MAC)).length, 42);
    assert.equal(reply(Uint8Array.of(...arpRequest(), ...new Uint8Array(18))).length, 42);
  });

  it('answers the probe of a station that has no address yet', () => {
    const probe = arpRequest({ 28: 0, 29: 0, 30: 0, 31: 0 });
    assert.deepEqual(reply(probe).subarray(32), Uint8Array.of(...THEIR_MAC, 0, 0, 0, 0));
  });

  it('ignores everything else', () => {
    ignored(arpRequest({ 41: 3 }), 'another address');
    ignored(arpRequest({ 21: 2 }), 'a reply');
    ignored(arpRequest({ 21: 0 }), 'operation 0');
    ignored(arpRequest({ 15: 6 }), 'not Ethernet');
    ignored(arpRequest({ 16: 0x86, 17: 0xdd }), 'not IPv4');
    ignored(arpRequest({ 18: 8 }), 'hardware addresses of 8 bytes');
    ignored(arpRequest({ 19: 16 }), 'protocol addresses of 16 bytes');
    ignored(arpRequest({ 22: 0xff }), 'a sender with a group address');
    ignored(arpRequest({ 22: 0, 23: 0, 27: 0 }), 'a sender without an address');
    ignored(arpRequest({ 28: 10, 29: 77, 30: 0, 31: 2 }), 'somebody who announces our address');
    ignored(arpRequest({}, THEIR_MAC), 'a frame for somebody else');
    ignored(arpRequest({}, MULTICAST), 'a group address');
  });

  it('ignores it truncated anywhere', () => {
    const frame = arpRequest();
    for (let length = 0; length < frame.length; length++)
      assert.equal(reply(frame, length).length, 0, `${length} bytes`);
  });
});

/** Checks an answer to an echo request against the RFCs, field by field. */
function checkEchoReply(request: Uint8Array, received: Uint8Array, payload: number): void {
  assert.equal(received.length, 14 + 20 + 8 + payload);
  assert.deepEqual(received.subarray(0, 14), Uint8Array.of(...THEIR_MAC, ...OUR_MAC, 8, 0));
  const ip = received.subarray(14, 34);
  assert.equal(ip[0], 0x45);
  assert.equal(((ip[2] ?? 0) << 8) | (ip[3] ?? 0), 28 + payload);
  assert.deepEqual(ip.subarray(6, 10), Uint8Array.of(0x40, 0, 64, 1));
  assert.deepEqual(ip.subarray(12, 20), Uint8Array.of(...OUR_IP, ...THEIR_IP));
  assert.equal(referenceChecksum(ip), 0, 'IP checksum');
  const icmp = received.subarray(34);
  assert.deepEqual(icmp.subarray(0, 2), Uint8Array.of(0, 0));
  assert.equal(referenceChecksum(icmp), 0, 'ICMP checksum');
  assert.deepEqual(
    icmp.subarray(4),
    request.slice(request.length - 4 - payload),
    'identifier, sequence and data',
  );
}

describe('examples/ping: ICMP echo', () => {
  for (const payload of [0, 1, 17, 18, 55, 56, 1471, 1472]) {
    it(`answers ${payload} bytes`, () => {
      const request = echoRequest({ payload });
      checkEchoReply(request, reply(request), payload);
    });
  }

  it('answers what is in the packet, not the padding behind it', () => {
    const request = echoRequest({ payload: 2 });
    checkEchoReply(
      request,
      reply(Uint8Array.of(...request, ...new Uint8Array(60 - request.length).fill(0xee))),
      2,
    );
  });

  it('answers a request with IP options, without them', () => {
    const request = echoRequest({ payload: 8, options: [1, 1, 1, 0] });
    checkEchoReply(request, reply(request), 8);
    const longest = echoRequest({ payload: 8, options: Array.from({ length: 40 }, () => 1) });
    checkEchoReply(longest, reply(longest), 8);
  });

  const foreign: Record<string, EchoOptions> = {
    'for another station': { destination: THEIR_MAC },
    'to a broadcast': { destination: BROADCAST },
    'to a group': { destination: MULTICAST },
    'from a group': { source: MULTICAST },
    'from no station': { source: new Uint8Array(6) },
    'for another IP address': { toIp: Uint8Array.of(10, 77, 0, 3) },
    'for the broadcast IP address': { toIp: Uint8Array.of(10, 77, 0, 255) },
    'from our own IP address': { fromIp: OUR_IP },
    'from 0.0.0.0': { fromIp: new Uint8Array(4) },
    'from the loopback network': { fromIp: Uint8Array.of(127, 0, 0, 1) },
    'from an IP multicast address': { fromIp: Uint8Array.of(224, 0, 0, 1) },
    'from 255.255.255.255': { fromIp: Uint8Array.of(255, 255, 255, 255) },
    'that is a first fragment': { flags: 0x2000 },
    'that is a later fragment': { flags: 0x00b9 },
    'that is a last fragment': { flags: 0x1fff },
    'that is UDP': { protocol: 17 },
    'that is an echo reply': { type: 0 },
    'that is a timestamp request': { type: 13 },
    'with code 1': { code: 1 },
  };
  for (const [what, options] of Object.entries(foreign)) {
    it(`ignores a packet ${what}`, () => ignored(echoRequest(options), what));
  }

  it('ignores total lengths beyond the frame, and below the headers', () => {
    for (const lengthError of [1, 2, 1400, -57, -64, -84])
      ignored(echoRequest({ lengthError }), `${lengthError} bytes`);
  });

  it('ignores impossible header lengths and other versions', () => {
    for (const first of [0x40, 0x44, 0x65, 0x05, 0x4f, 0xff])
      ignored(change(echoRequest(), { 14: first }), `${first}`);
  });

  it('ignores any damaged byte of the IP header and of the ICMP message', () => {
    const request = echoRequest({ payload: 10 });
    for (let at = 14; at < request.length; at++) {
      ignored(change(request, { [at]: (request[at] ?? 0) ^ 0x10 }), `byte ${at} damaged`);
    }
  });

  it('ignores it truncated anywhere', () => {
    const request = echoRequest();
    for (let length = 0; length < request.length; length++)
      assert.equal(reply(request, length).length, 0, `${length} bytes`);
  });

  it('ignores VLAN tags, other protocols, and lengths that lie about the buffer', () => {
    const inner = echoRequest().subarray(12);
    ignored(Uint8Array.of(...OUR_MAC, ...THEIR_MAC, 0x81, 0, 0, 5, ...inner), 'VLAN');
    ignored(Uint8Array.of(...OUR_MAC, ...THEIR_MAC, 0x88, 0xa8, 0, 5, ...inner), 'service VLAN');
    ignored(ethernet(OUR_MAC, THEIR_MAC, 0x86dd, new Uint8Array(46)), 'IPv6');
    ignored(ethernet(OUR_MAC, THEIR_MAC, 0x0005, new Uint8Array(46)), 'a length, not a type');
    assert.equal(answer(echoRequest(), 4096, new Uint8Array(2048), station), 0);
  });
});

describe('examples/ping: frames of any content', () => {
  it('answers 5,000 random variations with nothing or with a correct answer, and never throws', () => {
    let state = 12345;
    const random = (below: number): number => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    let answered = 0;
    for (let round = 0; round < 5_000; round++) {
      const frame =
        round % 2 === 0 ? arpRequest() : echoRequest({ payload: random(64), options: [1, 1, 1, 1] });
      for (let n = random(3); n > 0; n--) frame[random(frame.length)] = random(256);
      const length = random(4) === 0 ? random(frame.length + 1) : frame.length;
      const out = reply(frame, length);
      if (out.length === 0) continue;
      answered++;
      assert.ok(out.length <= Math.max(length, 42), 'no longer than the request');
      assert.deepEqual(out.subarray(6, 12), OUR_MAC);
      if (out[13] === 0) assert.equal(referenceChecksum(out.subarray(14, 34)), 0);
    }
    assert.ok(answered > 1250, `${answered} were answered`);
  });
});
