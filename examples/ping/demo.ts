/**
 * The demonstration: this process answers the kernel's own `ping`, through a NIC that it drives itself.
 *
 *     node dist/examples/ping/demo.js 0000:03:00.0 --peer
 *
 * Its parts are in demo/; start with demonstrate.ts.
 */
import { runDemo } from './demo/run.js';

runDemo(process.argv.slice(2)).then(
  code => (process.exitCode = code),
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
