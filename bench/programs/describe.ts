/** Prints what the machine is that this runs on. */
import { describeMachine } from '../machine.js';

console.log(JSON.stringify(describeMachine()));
