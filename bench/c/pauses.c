/*
 * How long a polling forwarder (ring-driver.h) is away from its rings: the time from one poll to the next,
 * while another thread is busy for a part of every millisecond.
 *
 *     pauses SECONDS
 */
#include <pthread.h>
#include <stdbool.h>

#include "ring-driver.h"

enum { BATCH = 32, MAX_GAPS = 1 << 25 };

static const uint64_t period_ns = 1000000;
static const uint64_t busy_ns = 200000;

static volatile bool ended;

static void* be_busy(void* unused) {
  while (!ended) {
    const struct timespec rest = {.tv_nsec = period_ns - busy_ns};
    nanosleep(&rest, NULL);
    spin_until(now_ns() + busy_ns);
  }
  return unused;
}

int main(int argc, char** argv) {
  if (argc != 2) errx(2, "usage: pauses SECONDS");
  struct port* port = allocate(sizeof *port);
  start(port, make_pool(BUFFERS_PER_PORT));
  double* gaps = allocate(MAX_GAPS * sizeof *gaps);
  pthread_t thread;
  if (pthread_create(&thread, NULL, be_busy, NULL)) errx(1, "pthread_create");
  const uint64_t begin = now_ns();
  const uint64_t end = begin + (uint64_t)(strtod(argv[1], NULL) * 1e9);
  size_t count = 0;
  for (uint64_t last = begin; last < end && count < MAX_GAPS;) {
    if (forward(port, BATCH) == 0) refill(&port->nic);
    const uint64_t time = now_ns();
    gaps[count++] = (double)(time - last);
    last = time;
  }
  ended = true;
  pthread_join(thread, NULL);
  report("p50", quantile(gaps, count, 0.5), count);
  report("p999", quantile(gaps, count, 0.999), count);
  report("p9999", quantile(gaps, count, 0.9999), count);
  report("max", quantile(gaps, count, 1), count);
}
