/*
 * From what causes an interrupt to the code behind epoll_wait and read, in one thread: fired in software by the kernel
 * ("trigger"), or by the device when its ICS register is written ("device").
 *
 *     interrupt ADDRESS trigger|device SHOTS GAP_NS
 */
#include <sys/epoll.h>

#include "nic.h"

static void trigger(const struct device *device) {
  const struct vfio_irq_set request = {.argsz = sizeof request,
                                       .flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER,
                                       .index = VFIO_PCI_MSIX_IRQ_INDEX,
                                       .count = 1};
  check(ioctl(device->fd, VFIO_DEVICE_SET_IRQS, &request), "VFIO_DEVICE_SET_IRQS");
}

static void fire(const struct device *device) {
  write32(device, ICS, CAUSE_RXQ0);
}

int main(int argc, char **argv) {
  if (argc != 5) errx(2, "usage: interrupt ADDRESS trigger|device SHOTS GAP_NS");
  const int by_device = strcmp(argv[2], "device") == 0;
  const size_t shots = strtoul(argv[3], NULL, 10);
  const uint64_t gap = strtoul(argv[4], NULL, 10);
  struct device device = open_device(argv[1]);
  map_bar0(&device);

  const int signalled = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN};
  if (signalled < 0 || epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, signalled, &event)) err(1, "epoll");
  set_irqs(&device, VFIO_PCI_MSIX_IRQ_INDEX, 1, &signalled);
  route_interrupt(&device);

  const size_t first = shots / 2;
  double *latencies = allocate((shots - first) * sizeof *latencies);
  for (size_t i = 0; i < shots; i++) {
    if (by_device) arm_interrupt(&device);
    spin_until(now_ns() + gap);
    const uint64_t start = now_ns();
    if (by_device) {
      fire(&device);
    } else {
      trigger(&device);
    }
    uint64_t count;
    if (epoll_wait(epoll, &event, 1, 1000) != 1) errx(1, "no interrupt after shot %zu", i);
    if (read(signalled, &count, sizeof count) != sizeof count) err(1, "read");
    const uint64_t end = now_ns();
    if (i >= first) latencies[i - first] = (double)(end - start);
  }
  report_latency(argv[2], latencies, shots - first);
  set_irqs(&device, VFIO_PCI_MSIX_IRQ_INDEX, 0, NULL);
  close_device(&device);
}
