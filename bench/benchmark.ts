import path from 'node:path';
import { packageRoot } from '../lab/paths.js';

/** Where a program runs: on this machine, or in the lab's virtual machine with a NIC bound to vfio-pci. */
export type PlaceName = 'host' | 'lab';

/** Where the compiled programs are, for command lines. */
export interface Tools {
  /** The executables made from bench/c. */
  readonly references: string;
}

/** One of the programs that are compared. It reports its figures, one a line, on standard output (report.ts). */
export interface Side {
  /** How the table calls it. */
  readonly name: string;
  command(tools: Tools): readonly string[];
}

/** Units of figures. */
export type Unit = 'ns' | 'bytes' | 'times';

/** A figure that a benchmark's programs report; less is better. */
export interface Figure {
  /** As the programs call it. */
  readonly name: string;
  /** As the references call what it is compared with, where that differs. */
  readonly against?: string;
  /** As the table calls it. */
  readonly label: string;
  /** What it is meant to reach, in words. */
  readonly goal?: string;
  /** What it counts. Default nanoseconds. */
  readonly unit?: Unit;
}

/**
 * The same work done by this library and by others. Programs take turns, each turn a fresh process, so that what drifts
 * on the machine meets them all, and what V8 decides anew in every process is in the spread.
 */
export interface Benchmark {
  readonly name: string;
  /** One line on what is measured. */
  readonly about: string;
  readonly place: PlaceName;
  /** Run as root in its place before the rounds: huge pages, for one. */
  readonly setUp?: string;
  readonly ours: Side;
  /** Without any, figures stand for themselves. */
  readonly references: readonly Side[];
  /** In the order of the table. What no program reports is left out, as a machine may lack what it takes. */
  readonly figures: readonly Figure[];
}

/** An argument of a program, or what tells it once the programs are compiled. */
type Argument = string | ((tools: Tools) => string);

/** A program in bench/programs, run by the Node that runs this. */
export function ourProgram(program: string, ...args: Argument[]): Side {
  const file = path.join(packageRoot, 'dist', 'bench', 'programs', `${program}.js`);
  return { name: 'vfio', command: tools => [process.execPath, file, ...filledIn(args, tools)] };
}

/** A program in bench/c. */
export function cProgram(program: string, ...args: Argument[]): Side {
  return cProgramNamed('C', program, ...args);
}

/** One of several programs in bench/c that do the same. */
export function cProgramNamed(name: string, program: string, ...args: Argument[]): Side {
  return { name, command: tools => [executable(program, tools), ...filledIn(args, tools)] };
}

/** The same arguments for the programs of one name on both sides. */
export function pair(program: string, ...args: Argument[]): Pick<Benchmark, 'ours' | 'references'> {
  return { ours: ourProgram(program, ...args), references: [cProgram(program, ...args)] };
}

/** Where the executable of a C program is. */
export function executable(program: string, tools: Tools): string {
  return path.join(tools.references, program);
}

function filledIn(args: readonly Argument[], tools: Tools): string[] {
  return args.map(arg => (typeof arg === 'string' ? arg : arg(tools)));
}
