/* The receiving side of signaller.c: starts it, and puts its stamps and the receiver's together. */
#pragma once
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

struct shots {
  size_t count;
  int acknowledge;
  int stamps;
  pid_t signaller;
  uint64_t *received;
};

/* `signalled` is the descriptor it signals. */
static inline struct shots start_signaller(const char *program, int signalled, const char *count, const char *gap) {
  struct shots shots = {.count = strtoul(count, NULL, 10)};
  int ends[2];
  if (pipe(ends)) err(1, "pipe");
  shots.received = allocate(shots.count * sizeof *shots.received);
  shots.acknowledge = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  shots.stamps = ends[0];
  shots.signaller = fork();
  if (shots.signaller == 0) {
    /* High numbers first, so that moving one cannot close the other. */
    const int from = dup(dup(signalled));
    const int to = dup(dup(shots.acknowledge));
    if (dup2(from, 3) < 0 || dup2(to, 4) < 0 || dup2(ends[1], 1) < 0) err(1, "dup2");
    execl(program, program, count, gap, (char *)NULL);
    err(1, "%s", program);
  }
  close(ends[1]);
  return shots;
}

static inline void acknowledge(const struct shots *shots) {
  const uint64_t one = 1;
  if (write(shots->acknowledge, &one, sizeof one) != sizeof one) err(1, "write");
}

/* Reports the latencies of all but the first half, which is warm-up. */
static inline void finish_shots(struct shots *shots, const char *figure) {
  uint64_t *sent = allocate(shots->count * sizeof *sent);
  for (size_t done = 0; done < shots->count * sizeof *sent;) {
    const ssize_t got = read(shots->stamps, (char *)sent + done, shots->count * sizeof *sent - done);
    if (got <= 0) errx(1, "the signaller ended early");
    done += (size_t)got;
  }
  waitpid(shots->signaller, NULL, 0);
  const size_t first = shots->count / 2;
  double *latencies = allocate((shots->count - first) * sizeof *latencies);
  for (size_t i = first; i < shots->count; i++) {
    latencies[i - first] = (double)(shots->received[i] - sent[i]);
  }
  report_latency(figure, latencies, shots->count - first);
}
