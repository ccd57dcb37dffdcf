/*
 * From another process's signal on an eventfd to the code behind epoll_wait and read.
 *
 *     eventfd-latency SIGNALLER SHOTS GAP_NS
 */
#include "shots.h"

int main(int argc, char **argv) {
  if (argc != 4) errx(2, "usage: eventfd-latency SIGNALLER SHOTS GAP_NS");
  const int signalled = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN};
  if (signalled < 0 || epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, signalled, &event)) err(1, "epoll");

  struct shots shots = start_signaller(argv[1], signalled, argv[2], argv[3]);
  for (size_t i = 0; i < shots.count; i++) {
    uint64_t count;
    if (epoll_wait(epoll, &event, 1, -1) != 1) err(1, "epoll_wait");
    if (read(signalled, &count, sizeof count) != sizeof count) err(1, "read");
    shots.received[i] = now_ns();
    acknowledge(&shots);
  }
  finish_shots(&shots, "latency");
}
