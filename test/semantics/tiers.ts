import { runInThisContext } from 'node:vm';

/** Any function, for V8's own functions about functions. */
type AnyFunction = (...args: never[]) => unknown;

/** One of the ways in which V8 runs a function. */
export interface Tier {
  name: string;
  /** What keeps V8 from using another tier; `--allow-natives-syntax` is for the functions below. */
  flags: readonly string[];
  /** Whether it compiles on assumptions, and throws code away whose assumptions fail. */
  compiles: boolean;
  /** Why this Node does not have it. */
  lack(): string | undefined;
  /** Makes the next call of a function that was prepared run in this tier. */
  force(body: AnyFunction): void;
  /** Whether that is where its next call runs. */
  holds(body: AnyFunction): boolean;
}

const common = ['--allow-natives-syntax', '--expose-gc'];

/** A function of V8's own, such as `%PrepareFunctionForOptimization`: JavaScript only while that syntax is allowed. */
function intrinsic(name: string): (body?: AnyFunction) => unknown {
  return runInThisContext(`(body => %${name}(body))`) as (body?: AnyFunction) => unknown;
}

function enabled(name: string): boolean {
  return runInThisContext(`%${name}()`) as boolean;
}

/** Has V8 collect what an optimising compiler wants to know of a function, from here on. */
export function prepare(body: AnyFunction): void {
  intrinsic('PrepareFunctionForOptimization')(body);
}

export const tiers: readonly Tier[] = [
  {
    name: 'interpreter',
    compiles: false,
    flags: [...common, '--no-sparkplug', '--no-maglev', '--no-opt'],
    lack: () => undefined,
    force: () => undefined,
    holds: body => intrinsic('ActiveTierIsIgnition')(body) === true,
  },
  {
    name: 'Sparkplug',
    compiles: false,
    flags: [...common, '--sparkplug', '--always-sparkplug', '--no-maglev', '--no-opt'],
    lack: () => (enabled('IsSparkplugEnabled') ? undefined : 'this Node has no Sparkplug'),
    force: body => void intrinsic('CompileBaseline')(body),
    holds: body => intrinsic('ActiveTierIsSparkplug')(body) === true,
  },
  {
    name: 'Maglev',
    compiles: true,
    flags: [...common, '--maglev', '--no-opt'],
    lack: () => (enabled('IsMaglevEnabled') ? undefined : 'this Node was built without Maglev'),
    force: body => void intrinsic('OptimizeMaglevOnNextCall')(body),
    holds: body => intrinsic('ActiveTierIsMaglev')(body) === true,
  },
  {
    name: 'TurboFan',
    compiles: true,
    flags: [...common, '--no-maglev'],
    lack: () => (enabled('IsTurbofanEnabled') ? undefined : 'this Node has no TurboFan'),
    force: body => void intrinsic('OptimizeFunctionOnNextCall')(body),
    holds: body => intrinsic('ActiveTierIsTurbofan')(body) === true,
  },
];
