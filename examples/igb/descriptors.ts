/**
 * The advanced descriptors, one buffer each. They are those that the kit knows: received is what was written back with the
 * lowest bit of the status; sent what was written back likewise.
 */
import { advancedRx, advancedTx } from 'vfio/kit';

/** The frame's own bytes are wrong; other bits of the errors are about checksums within it. */
const RECEIVE_ERROR = 1n << 31n;

export const rxFormat = advancedRx(RECEIVE_ERROR);
export const txFormat = advancedTx;

/** One frame fits one buffer, so no frame is ever spread over descriptors. */
export const BUFFER_BYTES = 2048;
/** The shortest frame that the device pads (TCTL.PSP) to the 60 bytes that Ethernet asks for. */
export const MIN_FRAME = 17;
/** The largest frame without its CRC: 1500 bytes of payload, the header, and a VLAN tag. */
export const MAX_FRAME = 1518;
