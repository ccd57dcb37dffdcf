/** A sequence of calls that follows from its seed, and the checks that go with each call and with the end. */
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import * as vfio from '../../lib/index.js';
import { native } from '../../lib/native.js';
import { show } from '../../lib/validate.js';
import { Random } from '../support/random.js';
import { collectGarbage } from '../support/resources.js';
import type { Api, Callable } from './api.js';
import { holdings, type Holdings } from './holdings.js';
import { Pool } from './pool.js';
import { Values } from './values.js';
import { isTyped, Violation } from './violation.js';
import type { World } from './world.js';

const errnos = [
  constants.errno.EBUSY,
  constants.errno.EINVAL,
  constants.errno.ENOMEM,
  constants.errno.EIO,
  constants.errno.EMFILE,
  constants.errno.ENODEV,
];

/** How a program that means well gets what can be shared. */
const shareable: Readonly<Record<string, (device: vfio.Device) => vfio.Shareable>> = {
  Mapping: device => device.bar(0).map(),
  DmaBuffer: device => device.dma.alloc(4096),
  IrqVector: device => device.msix.enable(1)[0],
};

type Exported = Readonly<Record<string, unknown>>;
interface Made {
  what: string;
  parameters: readonly unknown[];
}

/** The exported classes; what extends another comes before it. */
const classes = Object.entries(vfio as Exported)
  .filter(
    (entry): entry is [string, new () => object] => typeof entry[1] === 'function' && /^[A-Z]/.test(entry[0]),
  )
  .sort(([, a], [, b]) => (a.prototype instanceof b ? -1 : b.prototype instanceof a ? 1 : 0));

export class Session {
  readonly #random: Random;
  readonly #pool: Pool;
  readonly #values: Values;
  readonly #calls: Made[] = [];
  readonly #pending = new Set<Promise<unknown>>();
  #violation: Violation | undefined;

  constructor(
    private readonly api: Api,
    private readonly world: World,
    seed: number,
    private readonly trace: ((line: string) => void) | undefined,
  ) {
    this.#random = new Random(seed);
    this.#pool = new Pool(this.#random, classes);
    this.#values = new Values(this.#random, {
      strings: world.strings,
      object: name => this.#pool.get(name),
    });
  }

  /** The last calls, for a message. */
  history(count = 60): string[] {
    return this.#calls
      .slice(-count)
      .map(({ what, parameters }) => `${what}(${parameters.map(show).join(', ')})`);
  }

  /** @throws Violation */
  async run(count: number, before: Holdings | undefined): Promise<void> {
    this.world.reset();
    const unhandled = (error: unknown): void => this.#violate(`nobody was told of ${describe(error)}`);
    process.on('uncaughtException', unhandled).on('unhandledRejection', unhandled);
    try {
      for (let i = 0; i < count && this.#violation === undefined; i++) {
        this.#step();
        if (i % 16 === 0) await new Promise(resolve => setImmediate(resolve));
      }
      await this.#end();
      if (before !== undefined) this.#compare(before, holdings());
    } finally {
      process.off('uncaughtException', unhandled).off('unhandledRejection', unhandled);
    }
    if (this.#violation !== undefined) throw this.#violation;
  }

  #step(): void {
    const dice = this.#random.below(100);
    if (dice < 3) this.#inject();
    else if (dice < 4) this.#pool.drop();
    else if (dice < 8)
      this.#call('make', [], () =>
        this.world.make(this.#random, object => {
          this.#pool.add(object);
          return object;
        }),
      );
    else if (dice < 13) this.#function();
    else if (dice < 15) this.#share();
    else this.#member(dice);
  }

  #inject(): void {
    const name = this.#random.pick(this.world.failing);
    const parameters = [name, this.#random.pick(errnos), this.#random.below(3)] as const;
    this.#call('failNext', parameters, () => native().failNext(...parameters));
  }

  #function(): void {
    const statics = Object.entries(this.api.classes).flatMap(([name, { statics, constructible }]) => [
      ...statics.map(callable => ({ owner: name, callable })),
      ...(constructible ? [{ owner: name, callable: { name: 'new', parameters: [] } }] : []),
    ]);
    const functions = this.api.functions.map(callable => ({ owner: undefined, callable }));
    const { owner, callable } = this.#random.pick<{ owner: string | undefined; callable: Callable }>([
      ...statics,
      ...functions,
    ]);
    const target = owner === undefined ? vfio : (vfio as Exported)[owner];
    this.#invoke(owner ?? 'vfio', target, callable);
  }

  /** Sharing and adopting: chance alone would seldom do the one with the result of the other. */
  #share(): void {
    const [name, make] = this.#random.pick(Object.entries(shareable));
    const device = this.#pool.get('Device') as vfio.Device | undefined;
    this.#call('adopt(share())', [name], () => {
      const found = this.#pool.get(name) ?? (device && make(device));
      this.#pool.add(found);
      const token = (found as vfio.Mapping | undefined)?.share();
      this.#pool.add(token);
      return token && vfio.adopt(token);
    });
  }

  #member(dice: number): void {
    const found = this.#pool.any();
    const known = found && this.api.classes[found.name];
    if (found === undefined || known === undefined) return;
    const { name, object } = found;
    const at = object as Record<string, unknown>;
    if (dice < 23 && known.getters.length > 0) {
      const getter = this.#random.pick(known.getters);
      this.#call(`${name}.${getter}`, [], () => at[getter]);
    } else if (dice < 26 && known.setters.length > 0) {
      const setter = this.#random.pick(known.setters);
      const value = this.#values.of(setter);
      this.#call(`${name}.${setter.name} = `, [value], () => {
        at[setter.name] = value;
      });
    } else if (dice < 28 && 'on' in object) {
      const event = this.#random.pick(['interrupt', 'error', 'release-request', 'close']);
      this.#call(
        `${name}.on`,
        [event],
        () => void (object as NodeJS.EventEmitter).once(event, () => undefined),
      );
    } else if (known.methods.length > 0) this.#invoke(name, object, this.#random.pick(known.methods));
  }

  #invoke(name: string, target: unknown, callable: Callable): void {
    const parameters = this.#values.arguments(callable.parameters);
    const method = callable.name.startsWith('@@')
      ? (Symbol as unknown as Record<string, symbol>)[callable.name.slice(2)]
      : callable.name;
    if (method === undefined || !this.world.allowed(target, callable.name, parameters)) return;
    this.#call(`${name}.${callable.name}`, parameters, () =>
      method === 'new'
        ? (Reflect.construct(target as new () => object, parameters) as unknown)
        : (target as Record<PropertyKey, (...list: unknown[]) => unknown>)[method]?.(...parameters),
    );
  }

  #call(what: string, parameters: readonly unknown[], work: () => unknown): void {
    this.#calls.push({ what, parameters });
    this.trace?.(`${what}(${parameters.map(show).join(', ')})`);
    let result: unknown;
    try {
      result = work();
    } catch (error) {
      if (!isTyped(error)) this.#violate(`${what} threw ${describe(error)}`);
      return;
    }
    if (result instanceof Promise) this.#await(what, result);
    else this.#pool.add(result);
  }

  #await(what: string, promise: Promise<unknown>): void {
    const settled: Promise<unknown> = promise.then(
      value => this.#pool.add(value),
      (error: unknown) => {
        if (!isTyped(error)) this.#violate(`${what} rejected with ${describe(error)}`);
      },
    );
    this.#pending.add(settled);
    void settled.finally(() => this.#pending.delete(settled));
  }

  #violate(what: string): void {
    this.#violation ??= new Violation(what);
  }

  /** Closes everything. What was still pending may then open something more, which is closed too. */
  async #end(): Promise<void> {
    for (const name of this.world.failing) native().failNext(name, 0, 0);
    const deadline = performance.now() + this.world.patienceMs;
    do {
      await this.#pool.close();
      await sleep(1);
    } while (this.#pending.size > 0 && performance.now() < deadline);
    const failures = await this.#pool.close();
    if (this.#pending.size > 0)
      this.#violate(`${this.#pending.size} promises never settle, although all is closed`);
    const [failure] = failures;
    if (failure !== undefined) this.#violate(`closing failed: ${describe(failure)}`);
    await collectGarbage();
  }

  #compare(before: Holdings, after: Holdings): void {
    const names = new Set([...Object.keys(before), ...Object.keys(after)]);
    const changed = [...names].filter(name => (before[name] ?? 0) !== (after[name] ?? 0));
    const texts = changed.map(name => `${name}: ${after[name] ?? 0} are left, ${before[name] ?? 0} before`);
    if (texts.length > 0) this.#violate(texts.join('\n'));
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? String(error)) : show(error);
}
