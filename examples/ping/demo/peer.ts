/** The kernel's end of the cable: an interface that gets an address for some time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { readFileSync } from 'node:fs';
import { runOrThrow } from './command.js';
import { isOperational } from './interfaces.js';

const IFF_UP = 1;

export class Peer {
  private constructor(
    readonly name: string,
    /** With the length of its prefix: `10.77.0.1/24`. */
    private readonly address: string,
    private readonly wasUp: boolean,
  ) {}

  /** Gives the interface an address and sets it up. */
  static async take(name: string, address: string): Promise<Peer> {
    const peer = new Peer(name, address, isUp(name));
    await runOrThrow('ip', ['address', 'add', address, 'dev', name]);
    try {
      await runOrThrow('ip', ['link', 'set', name, 'up']);
    } catch (error) {
      await peer.restore();
      throw error;
    }
    return peer;
  }

  /** Waits until it can send and receive; the kernel has no other sign of that for us than an attribute in sysfs. */
  async waitForLink(timeoutMs: number, signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!isOperational(this.name)) {
      if (performance.now() > deadline) throw new Error(`${this.name} has no link after ${timeoutMs} ms.`);
      await sleep(50, undefined, { signal });
    }
  }

  /** Takes the address away again, and sets the interface down if it was. */
  async restore(): Promise<void> {
    await runOrThrow('ip', ['address', 'del', this.address, 'dev', this.name]);
    if (!this.wasUp) await runOrThrow('ip', ['link', 'set', this.name, 'down']);
  }
}

function isUp(name: string): boolean {
  return (Number(readFileSync(`/sys/class/net/${name}/flags`, 'utf8')) & IFF_UP) !== 0;
}
