/*
 * Signals an eventfd again and again, as a device would: descriptor 3 is signalled, on 4 the receiver
 * acknowledges. The receiver, whatever it is written in, stamps each arrival; this program stamps each
 * departure, and writes the stamps to standard output when it is done.
 *
 *     signaller SHOTS GAP_NS [PROCESSOR]     GAP_NS: how long to leave the receiver idle after its
 * acknowledgement
 */
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "bench.h"

static const uint64_t patience_ns = 30000000000;

/* Whether the receiver has acknowledged anything since the last call. */
static int acknowledged(void) {
  uint64_t taken;
  return read(4, &taken, sizeof taken) == sizeof taken;
}

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) errx(2, "usage: signaller SHOTS GAP_NS [PROCESSOR]");
  if (argc == 4) stay_on(atoi(argv[3]));
  /* Nobody else would stop it when the receiver is gone. */
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const size_t shots = strtoul(argv[1], NULL, 10);
  const uint64_t gap = strtoul(argv[2], NULL, 10);
  uint64_t* sent = allocate(shots * sizeof *sent);
  const uint64_t one = 1;

  for (size_t i = 0; i < shots; i++) {
    acknowledged();
    sent[i] = now_ns();
    if (write(3, &one, sizeof one) != sizeof one) err(1, "write");
    /* On a processor of its own it need not sleep, so that the receiver never has to wake it. */
    while (!acknowledged()) {
      if (now_ns() > sent[i] + patience_ns) errx(1, "nothing arrived of shot %zu", i);
    }
    if (gap > 0) spin_until(now_ns() + gap);
  }

  const char* rest = (const char*)sent;
  for (size_t left = shots * sizeof *sent; left > 0;) {
    const ssize_t done = write(1, rest, left);
    if (done < 0) err(1, "write");
    rest += done;
    left -= (size_t)done;
  }
}
