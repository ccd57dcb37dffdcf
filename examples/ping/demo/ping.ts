/** The system's `ping`, and what it has to say. */
import { run } from './command.js';

export interface PingStatistics {
  readonly transmitted: number;
  readonly received: number;
  readonly duplicates: number;
  /** Replies whose contents were not what was sent. */
  readonly corrupted: number;
  /** Percent, as ping rounds it. */
  readonly loss: number;
  /** Milliseconds; `undefined` when nothing came back. */
  readonly rtt: { readonly min: number; readonly avg: number; readonly max: number } | undefined;
}

export interface PingOptions {
  readonly target: string;
  /** The interface to send from. */
  readonly from: string;
  readonly count: number;
  readonly intervalSeconds: number;
  /** Bytes of payload: 56 is what ping sends by default, 1472 fills an Ethernet frame. */
  readonly payload: number;
  readonly signal?: AbortSignal;
}

export async function ping(options: PingOptions): Promise<PingStatistics> {
  const { target, from, count, intervalSeconds, payload, signal } = options;
  const args = [
    '-n',
    '-c',
    count,
    '-i',
    intervalSeconds,
    '-s',
    payload,
    '-W',
    1,
    '-M',
    'do',
    '-I',
    from,
    target,
  ];
  const { code, stdout, stderr } = await run('ping', args.map(String), signal);
  const statistics = parsePing(stdout);
  if (statistics === undefined) {
    throw new Error(`ping did not run: ${stderr.trim() || stdout.trim() || `exit code ${code}`}`);
  }
  return statistics;
}

/** Reads the summary at the end of the output of iputils' ping; `undefined` when there is none. */
export function parsePing(output: string): PingStatistics | undefined {
  const counts = /^(\d+) packets transmitted, (\d+) received,.*?([\d.]+)% packet loss/m.exec(output);
  if (counts === null) return undefined;
  const duplicates = /\+(\d+) duplicates/.exec(counts[0]);
  const rtt = /^rtt min\/avg\/max\/mdev = ([\d.]+)\/([\d.]+)\/([\d.]+)\/[\d.]+ ms/m.exec(output);
  return {
    transmitted: Number(counts[1]),
    received: Number(counts[2]),
    duplicates: Number(duplicates?.[1] ?? 0),
    corrupted: output.match(/^wrong data byte/gm)?.length ?? 0,
    loss: Number(counts[3]),
    rtt: rtt === null ? undefined : { min: Number(rtt[1]), avg: Number(rtt[2]), max: Number(rtt[3]) },
  };
}
