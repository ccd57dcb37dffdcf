/*
 * A device interrupt that wakes a sleeping process: another process rings an ioeventfd, the kernel writes the device's
 * ICS register, the device interrupts, and epoll_wait returns here.
 *
 *     wakeup ADDRESS SIGNALLER SHOTS GAP_NS
 */
#include "nic.h"
#include "shots.h"

int main(int argc, char **argv) {
  if (argc != 5) errx(2, "usage: wakeup ADDRESS SIGNALLER SHOTS GAP_NS");
  struct device device = open_device(argv[1]);
  map_bar0(&device);

  const int signalled = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const int doorbell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  struct epoll_event event = {.events = EPOLLIN};
  if (signalled < 0 || doorbell < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, signalled, &event)) err(1, "epoll");
  set_irqs(&device, VFIO_PCI_MSIX_IRQ_INDEX, 1, &signalled);
  route_interrupt(&device);
  const struct vfio_device_ioeventfd ring = {.argsz = sizeof ring,
                                             .flags = VFIO_DEVICE_IOEVENTFD_32,
                                             .offset = device.regions[0].offset + ICS,
                                             .data = CAUSE_RXQ0,
                                             .fd = doorbell};
  check(ioctl(device.fd, VFIO_DEVICE_IOEVENTFD, &ring), "VFIO_DEVICE_IOEVENTFD");

  arm_interrupt(&device);
  struct shots shots = start_signaller(argv[2], doorbell, argv[3], argv[4]);
  for (size_t i = 0; i < shots.count; i++) {
    uint64_t count;
    if (epoll_wait(epoll, &event, 1, 5000) != 1) errx(1, "no interrupt after shot %zu", i);
    if (read(signalled, &count, sizeof count) != sizeof count) err(1, "read");
    shots.received[i] = now_ns();
    arm_interrupt(&device);
    acknowledge(&shots);
  }
  finish_shots(&shots, "wakeup");
  set_irqs(&device, VFIO_PCI_MSIX_IRQ_INDEX, 0, NULL);
  close_device(&device);
}
