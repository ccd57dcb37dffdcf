import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { mustRun } from '../../../lab/command.js';
import { packageRoot } from '../../../lab/paths.js';

/** What a finding is: everything that is undefined counts, and stops the process at once. */
const checks = '-fsanitize=address,undefined';

/** The addon with the sanitizers compiled in, and the library that must be loaded before everything else for that. */
export interface SanitizedAddon {
  readonly file: string;
  readonly runtime: string;
}

/**
 * Builds it beside the real one, in a directory per Node version, so that neither is ever taken for the other. What has
 * not changed since the last time is not compiled again.
 */
export async function buildSanitizedAddon(): Promise<SanitizedAddon> {
  const directory = path.join(
    packageRoot,
    'node_modules/.cache/vfio-sanitize',
    `${process.version}-${process.arch}`,
  );
  mkdirSync(directory, { recursive: true });
  for (const name of ['binding.gyp', 'native']) {
    const link = path.join(directory, name);
    if (!existsSync(link)) symlinkSync(path.join(packageRoot, name), link);
  }
  const gyp = path.join(packageRoot, 'node_modules/node-gyp/bin/node-gyp.js');
  await mustRun([process.execPath, gyp, '-C', directory, 'configure', 'build', '--jobs', '2'], {
    env: environment(),
  });
  const file = path.join(directory, 'build/Release/vfio.node');
  const binary = readFileSync(file, 'latin1');
  for (const name of ['__asan_init', '__ubsan_handle_']) {
    if (!binary.includes(name)) throw new Error(`${file} was built without ${name}: nothing would be found`);
  }
  return { file, runtime: realpathSync(compilerFile('libasan.so')) };
}

/** A file of the compiler that builds the addon. */
function compilerFile(name: string): string {
  const compiler = process.env['CXX'] ?? 'g++';
  return execFileSync(compiler, [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
}

function environment(): NodeJS.ProcessEnv {
  const prefix = path.dirname(path.dirname(realpathSync(process.execPath)));
  const headers = existsSync(path.join(prefix, 'include/node/node_api.h'));
  return {
    ...process.env,
    CXXFLAGS: `${checks} -fno-sanitize-recover=all -fno-omit-frame-pointer -g -O1`,
    LDFLAGS: checks,
    npm_config_loglevel: 'error',
    // The headers beside the running node spare a download and always fit.
    ...(headers ? { npm_config_nodedir: prefix } : {}),
  };
}
