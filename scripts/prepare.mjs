// Makes a checkout runnable: system packages, node_modules, the addon, the compiled TypeScript. Each step looks first
// whether there is anything to do, so a warm run costs a few hundred milliseconds at most. Plain JavaScript without
// dependencies, because it runs before there is a node_modules.
//
//   node scripts/prepare.mjs [--quiet] [--native]
//     --quiet   report on standard error, leaving standard output to the command that follows
//     --native  stop after the addon
import { existsSync, lstatSync, mkdirSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { filesBelow, fingerprint, hashOf, readStamp, writeStamp } from './stamps.mjs';
import { run, StepError, withLock } from './steps.mjs';

const root = path.join(import.meta.dirname, '..');
const at = (...parts) => path.join(root, ...parts);

const flags = new Set(process.argv.slice(2));
const unknown = [...flags].find(flag => flag !== '--quiet' && flag !== '--native');
if (unknown) {
  console.error(`prepare: unknown option ${unknown}; there are --quiet and --native`);
  process.exit(2);
}
const output = flags.has('--quiet') ? process.stderr : process.stdout;

// What is missing or out of date. Each entry is asked anew under the lock, as another run may have done it meanwhile.
const steps = [
  { label: 'installing the compiler', due: () => missingPackages().length > 0, work: installPackages },
  { label: 'installing node_modules', due: () => !packagesAreCurrent(), work: installModules },
  { label: 'compiling the addon', due: () => !addonIsCurrent(), work: buildAddon },
];
if (!flags.has('--native')) {
  steps.push({ label: 'compiling the TypeScript', due: () => !outputIsCurrent(), work: compile });
}

try {
  if (steps.some(step => step.due())) {
    await withLock(root, async () => {
      for (const { label, due, work } of steps) {
        if (due()) await report(label, work);
      }
    });
  }
} catch (error) {
  if (!(error instanceof StepError)) throw error;
  console.error(error.message);
  process.exit(1);
}

async function report(label, work) {
  const start = performance.now();
  output.write(`prepare: ${label} ...`);
  try {
    await work();
  } finally {
    output.write(` ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
  }
}

// --- System packages -------------------------------------------------------------------------------------------------

function missingPackages() {
  const directories = (process.env.PATH ?? '').split(':').filter(directory => directory !== '');
  const has = program => directories.some(directory => existsSync(path.join(directory, program)));
  return ['g++', 'make', 'python3'].filter(program => !has(program));
}

async function installPackages() {
  const names = missingPackages();
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = [
    'apt-get',
    'install',
    '-y',
    '-qq',
    '--no-install-recommends',
    '-o',
    'DPkg::Lock::Timeout=300',
    ...names,
  ];
  try {
    await run(install, { env });
  } catch {
    // A fresh machine has no package lists, an old one lists files that are gone.
    await run(['apt-get', 'update', '-qq'], { env });
    await run(install, { env });
  }
}

// --- node_modules ----------------------------------------------------------------------------------------------------

function packagesAreCurrent() {
  // A link leads to what belongs to another checkout, and npm would empty that first.
  if (lstatSync(at('node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) return true;
  const installed = at('node_modules', '.package-lock.json');
  if (!existsSync(installed)) return false;
  const wanted = hashOf(at('package-lock.json'));
  const stamp = readStamp(at('node_modules', '.vfio-stamp'));
  if (stamp !== undefined) return stamp === wanted;
  // Somebody ran npm by hand: good if that was after the last change of the lock file.
  return fingerprint([installed]).newest >= fingerprint([at('package-lock.json')]).newest;
}

async function installModules() {
  // Without scripts: npm would build the addon by itself, without the settings of buildAddon.
  await run(['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: root,
    env: cleanEnvironment(),
  });
  writeStamp(at('node_modules', '.vfio-stamp'), hashOf(at('package-lock.json')));
}

// `npm --prefix` and the like name directories by variables that would mislead an npm inside.
function cleanEnvironment() {
  const misleading = /^npm_(package_|lifecycle_|config_(global_|local_)?prefix$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !misleading.test(name)));
}

// --- The addon -------------------------------------------------------------------------------------------------------

function addonState() {
  const sources = filesBelow(at('native'), /./);
  return {
    node: `${process.version} ${process.arch}`,
    sources: fingerprint([at('binding.gyp'), ...sources]).text,
  };
}

function addonIsCurrent() {
  if (filesBelow(at('native'), /\.cc$/).length === 0) return true;
  return (
    existsSync(at('build', 'Release', 'vfio.node')) &&
    readStamp(at('build', '.vfio-stamp')) === JSON.stringify(addonState())
  );
}

async function buildAddon() {
  const state = addonState();
  const before = readStamp(at('build', '.vfio-stamp'));
  // Objects made for another Node look current to make.
  if (before === undefined || JSON.parse(before).node !== state.node)
    rmSync(at('build'), { recursive: true, force: true });
  mkdirSync(at('build'), { recursive: true });
  writeStamp(at('build', '.vfio-stamp'), JSON.stringify({ ...state, sources: 'unfinished' }));
  const gyp = at('node_modules', 'node-gyp', 'bin', 'node-gyp.js');
  const env = { ...process.env, npm_config_loglevel: 'error' };
  const prefix = path.dirname(path.dirname(realpathSync(process.execPath)));
  // The headers beside the running node spare a download and always fit.
  if (existsSync(path.join(prefix, 'include', 'node', 'node_api.h'))) env.npm_config_nodedir = prefix;
  const text = await run([process.execPath, gyp, 'configure', 'build', '--jobs', '2'], { cwd: root, env });
  if (/\bwarning:/.test(text)) process.stderr.write(`\n${text}`);
  writeStamp(at('build', '.vfio-stamp'), JSON.stringify(state));
}

// --- TypeScript ------------------------------------------------------------------------------------------------------

function sources() {
  return ['lib', 'test', 'examples', 'lab', 'bench'].flatMap(directory => filesBelow(at(directory), /\.ts$/));
}

function sourceState() {
  return `${readStamp(at('node_modules', '.vfio-stamp')) ?? ''} ${fingerprint([at('tsconfig.json'), ...sources()]).text}`;
}

function outputIsCurrent() {
  return readStamp(at('dist', '.vfio-stamp')) === sourceState();
}

async function compile() {
  const state = sourceState();
  await run([process.execPath, at('node_modules', 'typescript', 'bin', 'tsc'), '-p', at('tsconfig.json')], {
    cwd: root,
  });
  removeOrphans();
  writeStamp(at('dist', '.vfio-stamp'), state);
}

// Output of sources that are gone would still be found: as tests that run, for one.
function removeOrphans() {
  const kept = new Set(sources().map(file => path.relative(root, file).replace(/\.ts$/, '')));
  for (const directory of readdirSync(at('dist'), { withFileTypes: true }).filter(entry =>
    entry.isDirectory(),
  )) {
    for (const file of filesBelow(at('dist', directory.name), /\.(js|js\.map|d\.ts)$/)) {
      if (!kept.has(path.relative(at('dist'), file).replace(/\.(js|js\.map|d\.ts)$/, ''))) rmSync(file);
    }
  }
}
