/** The process whose leaks are counted: `child.js ROUNDS`. See main.ts. */
import { bindDevice } from '../../lib/index.js';
import { devices } from '../../lab/devices.js';
import { hostWorld } from '../fuzz/host.js';
import { balance, growth } from '../support/balance.js';
import { collectGarbage } from '../support/resources.js';
import { deviceRounds, plainRounds, type Round } from './rounds.js';

/** What the engine's own memory may grow by, however many rounds there are. */
const slack = { areas: 128, MiB: 64 };

async function main(rounds: number): Promise<number> {
  const inLab = process.env['LAB'] === '1';
  const all = inLab ? await labRounds() : hostRounds();
  let failed = 0;
  for (const round of all) {
    const count = Math.max(1, Math.ceil(rounds / round.every));
    const grown = await grownBy(round, rounds, count);
    const verdict = grown.length === 0 ? 'ok' : 'FAILED';
    console.log(`${verdict} ${count} rounds of ${round.name}${grown.map(line => `\n    ${line}`).join('')}`);
    if (grown.length > 0) failed++;
  }
  console.log(`${all.length - failed} passed, ${failed} failed, 0 skipped`);
  return failed === 0 ? 0 : 1;
}

async function grownBy(round: Round, rounds: number, count: number): Promise<string[]> {
  // Until the engine has compiled it and every cache is filled.
  const warm = Math.min(Math.max(rounds / 4, 100), 2500) / round.every;
  for (let i = 0; i < warm; i++) await round.run();
  await collectGarbage();
  const before = balance();
  let reported = performance.now();
  for (let i = 0; i < count; i++) {
    await round.run();
    if (performance.now() - reported < 10_000) continue;
    reported = performance.now();
    console.log(`  ${i + 1} of ${count} rounds of ${round.name}`);
  }
  await collectGarbage();
  return growth(before, balance(), slack);
}

async function labRounds(): Promise<Round[]> {
  await bindDevice(devices.testdev);
  return [...plainRounds, ...deviceRounds(devices.testdev, devices.testdev)];
}

function hostRounds(): Round[] {
  hostWorld().reset();
  return [...plainRounds, ...deviceRounds('ffff:1f:1f.7', 1)];
}

main(Number(process.argv[2])).then(
  code => process.exit(code),
  (error: unknown) => {
    console.error(error);
    process.exit(2);
  },
);
