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
  /* The signaller's standard output, readable when it is done. */
  int stamps;
  pid_t signaller;
  /* A device may interrupt more often than it was told to, so there is room to spare. */
  uint64_t* received;
  size_t arrivals;
  size_t room;
};

/* `signalled` is the descriptor it signals, `processor` where it runs, or null. */
static inline struct shots start_signaller(const char* program, int signalled, const char* count,
                                           const char* gap, const char* processor) {
  struct shots shots = {.count = strtoul(count, NULL, 10)};
  int ends[2];
  if (pipe(ends)) err(1, "pipe");
  shots.room = 4 * shots.count;
  shots.received = allocate(shots.room * sizeof *shots.received);
  shots.acknowledge = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  shots.stamps = ends[0];
  shots.signaller = fork();
  if (shots.signaller == 0) {
    /* By way of high numbers, so that moving one cannot close the other. */
    const int from = dup(dup(signalled));
    const int to = dup(dup(shots.acknowledge));
    if (dup2(from, 3) < 0 || dup2(to, 4) < 0 || dup2(ends[1], 1) < 0) err(1, "dup2");
    execl(program, program, count, gap, processor, (char*)NULL);
    err(1, "%s", program);
  }
  close(ends[1]);
  return shots;
}

static inline void arrived(struct shots* shots) {
  if (shots->arrivals == shots->room) errx(1, "far more arrived than was sent");
  shots->received[shots->arrivals++] = now_ns();
}

static inline void acknowledge(const struct shots* shots) {
  const uint64_t one = 1;
  if (write(shots->acknowledge, &one, sizeof one) != sizeof one) err(1, "write");
}

/* Serves the eventfd `signalled` by epoll_wait and read until the signaller is done; `serve` may be null. */
static inline void receive_shots(struct shots* shots, int signalled, void (*serve)(const void*),
                                 const void* data) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = signalled};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, signalled, &event)) err(1, "epoll_ctl");
  event.data.fd = shots->stamps;
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, shots->stamps, &event)) err(1, "epoll_ctl");
  for (;;) {
    uint64_t count;
    if (epoll_wait(epoll, &event, 1, -1) != 1) err(1, "epoll_wait");
    if (event.data.fd == shots->stamps) break;
    if (read(signalled, &count, sizeof count) != sizeof count) err(1, "read");
    arrived(shots);
    if (serve) serve(data);
    acknowledge(shots);
  }
  close(epoll);
}

/* Reports the latencies of all but the first half, which is warm-up: from each shot to the first arrival
 * after it. */
static inline void report_shots(struct shots* shots, const char* figure) {
  uint64_t* sent = allocate(shots->count * sizeof *sent);
  for (size_t done = 0; done < shots->count * sizeof *sent;) {
    const ssize_t got = read(shots->stamps, (char*)sent + done, shots->count * sizeof *sent - done);
    if (got <= 0) errx(1, "the signaller ended early");
    done += (size_t)got;
  }
  waitpid(shots->signaller, NULL, 0);
  const size_t first = shots->count / 2;
  double* latencies = allocate((shots->count - first) * sizeof *latencies);
  size_t next = 0;
  for (size_t i = 0; i < shots->count; i++) {
    while (next < shots->arrivals && shots->received[next] < sent[i]) next++;
    if (next == shots->arrivals) errx(1, "nothing arrived of shot %zu", i);
    if (i >= first) latencies[i - first] = (double)(shots->received[next] - sent[i]);
  }
  report_latency(figure, latencies, shots->count - first);
}
