/*
 * A device interrupt that wakes a sleeping process: another process rings an ioeventfd, the kernel writes the
 * device's ICS register, the device interrupts, and epoll_wait returns here.
 *
 *     wakeup ADDRESS SIGNALLER SHOTS GAP_NS
 */
#include "nic.h"
#include "shots.h"

static void rearm(const void* device) {
  arm_interrupt(device);
}

int main(int argc, char** argv) {
  if (argc != 5) errx(2, "usage: wakeup ADDRESS SIGNALLER SHOTS GAP_NS");
  /* Where interrupts are sent, too; the signaller has another. */
  stay_on(0);
  struct device device = open_device(argv[1]);
  map_bar0(&device);
  const int signalled = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const int doorbell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (signalled < 0 || doorbell < 0) err(1, "eventfd");
  set_irqs(&device, VFIO_PCI_MSIX_IRQ_INDEX, 1, &signalled);
  route_interrupt(&device);
  const struct vfio_device_ioeventfd ring = {.argsz = sizeof ring,
                                             .flags = VFIO_DEVICE_IOEVENTFD_32,
                                             .offset = device.regions[0].offset + ICS,
                                             .data = CAUSE_RXQ0,
                                             .fd = doorbell};
  check(ioctl(device.fd, VFIO_DEVICE_IOEVENTFD, &ring), "VFIO_DEVICE_IOEVENTFD");

  arm_interrupt(&device);
  struct shots shots = start_signaller(argv[2], doorbell, argv[3], argv[4], "1");
  receive_shots(&shots, signalled, rearm, &device);
  report_shots(&shots, "wakeup");
  set_irqs(&device, VFIO_PCI_MSIX_IRQ_INDEX, 0, NULL);
  close_device(&device);
}
