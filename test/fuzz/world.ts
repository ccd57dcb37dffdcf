import type { Random } from '../support/random.js';

/** Where calls are made: what there is to make them on. */
export interface World {
  /** Strings that mean something there: addresses above all. */
  strings: readonly string[];
  /** System calls that can be made to fail. */
  failing: readonly string[];
  /** Before each session. */
  reset: () => void;
  /** Opens something, as a program would that means well; `keep` gets each object as soon as it is there. */
  make: (random: Random, keep: <T>(object: T) => T) => void;
  /** Whether a call may be made: not one that stops the machine instead of being refused. */
  allowed: (target: unknown, method: string, parameters: readonly unknown[]) => boolean;
  /** How long promises may take to settle when everything is closed. */
  patienceMs: number;
}
