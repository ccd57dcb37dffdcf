import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { mustRun } from '../../../lab/command.js';
import { packageRoot } from '../../../lab/paths.js';

/** What is compiled in, and how that is seen in the binary. */
export interface Checks {
  /** Names the directory of the build. */
  readonly name: string;
  readonly flags: string;
  /** Flags for the compiler alone. */
  readonly compilerFlags: string;
  readonly symbols: readonly string[];
  readonly library: string;
}

/** The addon with the sanitizers compiled in, and the library that must be loaded before everything else for that. */
export interface SanitizedAddon {
  readonly file: string;
  readonly runtime: string;
}

/**
 * Builds it beside the real one, in a directory per Node version, so that neither is ever taken for the other. What has
 * not changed since the last time is not compiled again.
 */
export async function buildSanitizedAddon(checks: Checks): Promise<SanitizedAddon> {
  const directory = path.join(
    packageRoot,
    'node_modules/.cache/vfio-sanitize',
    `${checks.name}-${process.version}-${process.arch}`,
  );
  mkdirSync(directory, { recursive: true });
  for (const name of ['binding.gyp', 'native']) {
    const link = path.join(directory, name);
    if (!existsSync(link)) symlinkSync(path.join(packageRoot, name), link);
  }
  const gyp = path.join(packageRoot, 'node_modules/node-gyp/bin/node-gyp.js');
  await mustRun([process.execPath, gyp, '-C', directory, 'configure', 'build', '--jobs', '2'], {
    env: environment(checks),
  });
  const file = path.join(directory, 'build/Release/vfio.node');
  const binary = readFileSync(file, 'latin1');
  for (const name of checks.symbols) {
    if (!binary.includes(name)) throw new Error(`${file} was built without ${name}: nothing would be found`);
  }
  return { file, runtime: realpathSync(compilerFile(checks.library)) };
}

/** The one that builds the addon. */
export function compiler(): string {
  return process.env['CXX'] ?? 'g++';
}

/** A file that comes with it. */
function compilerFile(name: string): string {
  return execFileSync(compiler(), [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
}

function environment({ flags, compilerFlags }: Checks): NodeJS.ProcessEnv {
  const prefix = path.dirname(path.dirname(realpathSync(process.execPath)));
  const headers = existsSync(path.join(prefix, 'include/node/node_api.h'));
  return {
    ...process.env,
    CXXFLAGS: `${flags} ${compilerFlags} -fno-omit-frame-pointer -g -O1`,
    LDFLAGS: flags,
    npm_config_loglevel: 'error',
    // The headers beside the running node spare a download and always fit.
    ...(headers ? { npm_config_nodedir: prefix } : {}),
  };
}
