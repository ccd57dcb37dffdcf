/** The registers that every PHY has: IEEE 802.3, clause 22. */

/** The control register and its bits. */
export const CONTROL = 0;
const Control = {
  RESTART_AUTONEGOTIATION: 1 << 9,
  ISOLATE: 1 << 10,
  POWER_DOWN: 1 << 11,
  ENABLE_AUTONEGOTIATION: 1 << 12,
} as const;

/** What the control register must be told to be on and to negotiate the link anew. @param control what it says now */
export function negotiatingAnew(control: number): number {
  const on = control & ~(Control.POWER_DOWN | Control.ISOLATE);
  return on | Control.ENABLE_AUTONEGOTIATION | Control.RESTART_AUTONEGOTIATION;
}
