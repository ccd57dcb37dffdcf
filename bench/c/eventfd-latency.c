/*
 * From another process's signal on an eventfd to the code behind epoll_wait and read.
 *
 *     eventfd-latency SIGNALLER SHOTS GAP_NS
 */
#include "shots.h"

int main(int argc, char** argv) {
  if (argc != 4) errx(2, "usage: eventfd-latency SIGNALLER SHOTS GAP_NS");
  const int signalled = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (signalled < 0) err(1, "eventfd");
  struct shots shots = start_signaller(argv[1], signalled, argv[2], argv[3], NULL);
  receive_shots(&shots, signalled, NULL, NULL);
  report_shots(&shots, "latency");
}
