/*
 * Many eventfds signalled together: the time from the last signal until all have been served, per eventfd. With counts
 * each is read; without, edge-triggered epoll makes that unnecessary.
 *
 *     eventfd-burst VECTORS BURSTS...    pairs of numbers
 */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench.h"

enum { BATCH = 512 };

static size_t served;

static void serve(uint64_t count) {
  served += count > 0;
}

static double burst(const int *fds, size_t vectors, int epoll, int counts) {
  const uint64_t one = 1;
  struct epoll_event events[BATCH];
  for (size_t i = 0; i < vectors; i++) {
    if (write(fds[i], &one, sizeof one) != sizeof one) err(1, "write");
  }
  const uint64_t signalled = now_ns();
  for (served = 0; served < vectors;) {
    const int ready = epoll_wait(epoll, events, BATCH, -1);
    for (int i = 0; i < ready; i++) {
      uint64_t count = 1;
      if (counts && read(events[i].data.fd, &count, sizeof count) != sizeof count) err(1, "read");
      serve(count);
    }
  }
  return (double)(now_ns() - signalled) / (double)vectors;
}

static void measure(size_t vectors, size_t bursts, int counts) {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  int *fds = allocate(vectors * sizeof *fds);
  double *samples = allocate(bursts * sizeof *samples);
  for (size_t i = 0; i < vectors; i++) {
    struct epoll_event event = {.events = counts ? EPOLLIN : EPOLLIN | EPOLLET};
    fds[i] = event.data.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fds[i] < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event)) err(1, "eventfd");
  }
  for (size_t i = 0; i < bursts / 2; i++) burst(fds, vectors, epoll, counts);
  for (size_t i = 0; i < bursts; i++) samples[i] = burst(fds, vectors, epoll, counts);
  char figure[64];
  snprintf(figure, sizeof figure, "%s-%zu", counts ? "counts" : "edges", vectors);
  report_median(figure, samples, bursts);
  for (size_t i = 0; i < vectors; i++) close(fds[i]);
  close(epoll);
}

int main(int argc, char **argv) {
  /* Node raises its limit the same way. */
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  for (int i = 1; i + 1 < argc; i += 2) {
    for (int counts = 0; counts <= 1; counts++) {
      measure(strtoul(argv[i], NULL, 10), strtoul(argv[i + 1], NULL, 10), counts);
    }
  }
}
