/*
 * Signals an eventfd again and again, as a device would: descriptor 3 is signalled, on 4 the receiver acknowledges. The
 * receiver, whatever it is written in, stamps each arrival; this program stamps each departure, and writes the stamps to
 * standard output when it is done.
 *
 *     signaller SHOTS GAP_NS     GAP_NS: how long to leave the receiver idle after its acknowledgement
 */
#include <unistd.h>

#include "bench.h"

int main(int argc, char **argv) {
  if (argc != 3) errx(2, "usage: signaller SHOTS GAP_NS");
  const size_t shots = strtoul(argv[1], NULL, 10);
  const uint64_t gap = strtoul(argv[2], NULL, 10);
  uint64_t *sent = allocate(shots * sizeof *sent);
  const uint64_t one = 1;
  uint64_t taken;

  for (size_t i = 0; i < shots; i++) {
    sent[i] = now_ns();
    if (write(3, &one, sizeof one) != sizeof one) err(1, "write");
    /* On a processor of its own it need not sleep, so that the receiver never has to wake it. */
    while (read(4, &taken, sizeof taken) != sizeof taken) {
    }
    if (gap > 0) spin_until(now_ns() + gap);
  }

  const char *rest = (const char *)sent;
  for (size_t left = shots * sizeof *sent; left > 0;) {
    const ssize_t done = write(1, rest, left);
    if (done < 0) err(1, "write");
    rest += done;
    left -= (size_t)done;
  }
}
