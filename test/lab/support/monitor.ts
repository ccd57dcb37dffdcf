import assert from 'node:assert/strict';
import * as fs from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/** What QEMU answers, or tells by itself. */
interface Message {
  id?: number;
  return?: unknown;
  error?: { class: string; desc: string };
  event?: string;
  data?: Record<string, unknown>;
}

/** The port's device file: the lab gives it this name. */
function portFile(): string {
  const names = '/sys/class/virtio-ports';
  const port = fs
    .readdirSync(names)
    .find(name => fs.readFileSync(`${names}/${name}/name`, 'utf8').trim() === 'lab.monitor');
  if (port === undefined) throw new Error('this machine has no port to its monitor');
  return `/dev/${port}`;
}

/** QEMU's monitor (QMP), from inside the machine: it pulls and plugs devices, and makes them report errors. */
export class Monitor implements Disposable {
  readonly #fd = fs.openSync(portFile(), fs.constants.O_RDWR | fs.constants.O_NONBLOCK);
  readonly #messages: Message[] = [];
  #text = '';
  #lastId = 0;

  static async connect(): Promise<Monitor> {
    const monitor = new Monitor();
    // Somebody before may have done that, and what was told to nobody is not for us. QEMU knows one user, who stays.
    await monitor.#ask('qmp_capabilities');
    monitor.#messages.length = 0;
    return monitor;
  }

  async execute(command: string, parameters: Record<string, unknown> = {}): Promise<unknown> {
    const { error, return: result } = await this.#ask(command, parameters);
    assert.equal(error, undefined, `${command}: ${error?.desc ?? ''}`);
    return result;
  }

  /** Pulls the card out of a slot, as its user would who pressed the button: the guest is asked first. */
  unplug(slot: number): Promise<unknown> {
    return this.execute('device_del', { id: cardIn(slot) });
  }

  /** Waits until it is out, which is when the guest has let go of it. */
  async unplugged(slot: number): Promise<void> {
    await this.#find(({ event, data }) => event === 'DEVICE_DELETED' && data?.['device'] === cardIn(slot));
  }

  /** Puts a card into a slot; the guest sees it a little later. */
  plug(slot: number, driver: string): Promise<unknown> {
    return this.execute('device_add', { driver, bus: `port${slot}`, id: cardIn(slot) });
  }

  [Symbol.dispose](): void {
    fs.closeSync(this.#fd);
  }

  async #ask(command: string, parameters: Record<string, unknown> = {}): Promise<Message> {
    const id = ++this.#lastId + process.pid * 1000;
    fs.writeSync(this.#fd, `${JSON.stringify({ execute: command, arguments: parameters, id })}\n`);
    return this.#find(message => message.id === id);
  }

  async #find(wanted: (message: Message) => boolean): Promise<Message> {
    for (let i = 0; i < 3000; i++) {
      this.#read();
      const at = this.#messages.findIndex(wanted);
      if (at >= 0) return this.#messages.splice(at, 1)[0] as Message;
      await pause(20);
    }
    assert.fail(`the monitor said only ${JSON.stringify(this.#messages)}`);
  }

  #read(): void {
    const buffer = Buffer.alloc(4096);
    try {
      for (;;) {
        const count = fs.readSync(this.#fd, buffer);
        if (count === 0) break;
        this.#text += buffer.toString('utf8', 0, count);
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
    const lines = this.#text.split('\n');
    this.#text = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') this.#messages.push(JSON.parse(line) as Message);
  }
}

/** The name that the lab gives to the card behind the root port of that number (lab/qemu.ts). */
export function cardIn(slot: number): string {
  return `card-port${slot}`;
}

/** The number of the root port that a device is behind: they are at 10.0, 11.0, and so on. */
export function slotOf(address: string): number {
  const port = path.basename(path.dirname(fs.realpathSync(`/sys/bus/pci/devices/${address}`)));
  return Number.parseInt(port.slice(8, 10), 16) - 0x0f;
}
