/** From another process's signal on an eventfd to an `'interrupt'` listener; compare bench/c/eventfd-latency.c. */
import { programArguments } from './arguments.js';
import { plainVector } from './plain-vector.js';
import { Shots } from './shots.js';

async function main(): Promise<void> {
  const [signaller, count, gapNs] = programArguments('SIGNALLER', 'SHOTS', 'GAP_NS');
  const vector = plainVector(true);
  const shots = new Shots(Number(count));
  vector.on('interrupt', () => {
    shots.arrived();
    shots.acknowledge();
  });
  await shots.run(signaller, vector.fd, gapNs, 'latency');
  vector.close();
}

void main();
