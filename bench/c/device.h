/* Opens and closes a PCI device as the library does it: the same system calls that matter, in the same order. */
#pragma once
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

struct device {
  int container;
  int group;
  int fd;
  /* ERR and REQ, which the library arms for every device. */
  int notifications[2];
  struct vfio_region_info regions[VFIO_PCI_NUM_REGIONS];
  volatile uint8_t *bar0;
};

static inline int check(int result, const char *what) {
  if (result < 0) err(1, "%s", what);
  return result;
}

static inline int group_of(const char *address) {
  char path[PATH_MAX];
  char target[PATH_MAX] = "";
  snprintf(path, sizeof path, "/sys/bus/pci/devices/%s/iommu_group", address);
  check((int)readlink(path, target, sizeof target - 1), path);
  return atoi(basename(target));
}

static inline uint64_t config_offset(const struct device *device) {
  return device->regions[VFIO_PCI_CONFIG_REGION_INDEX].offset;
}

/* Lets `count` eventfds be signalled by the vectors of an interrupt kind; none of them ends it. */
static inline void set_irqs(const struct device *device, uint32_t index, uint32_t count, const int *eventfds) {
  struct {
    struct vfio_irq_set header;
    int eventfds[8];
  } request = {.header = {.argsz = sizeof request.header + count * sizeof(int),
                          .flags = VFIO_IRQ_SET_ACTION_TRIGGER |
                                   (count ? VFIO_IRQ_SET_DATA_EVENTFD : VFIO_IRQ_SET_DATA_NONE),
                          .index = index,
                          .count = count}};
  if (count) memcpy(request.eventfds, eventfds, count * sizeof(int));
  check(ioctl(device->fd, VFIO_DEVICE_SET_IRQS, &request), "VFIO_DEVICE_SET_IRQS");
}

static inline void set_bus_master(const struct device *device, int on) {
  const off_t at = (off_t)(config_offset(device) + PCI_COMMAND);
  uint16_t command;
  check((int)pread(device->fd, &command, sizeof command, at), "pread");
  if (!on == !(command & PCI_COMMAND_MASTER)) return;
  command ^= PCI_COMMAND_MASTER;
  check((int)pwrite(device->fd, &command, sizeof command, at), "pwrite");
}

static inline struct device open_device(const char *address) {
  struct device device = {.bar0 = NULL};
  char path[64];
  snprintf(path, sizeof path, "/dev/vfio/%d", group_of(address));
  device.group = check(open(path, O_RDWR | O_CLOEXEC), path);
  device.container = check(open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC), "/dev/vfio/vfio");
  if (ioctl(device.container, VFIO_GET_API_VERSION) != VFIO_API_VERSION) errx(1, "unknown API version");

  struct vfio_group_status status = {.argsz = sizeof status};
  check(ioctl(device.group, VFIO_GROUP_GET_STATUS, &status), "VFIO_GROUP_GET_STATUS");
  if (!(status.flags & VFIO_GROUP_FLAGS_VIABLE)) errx(1, "group of %s is not viable", address);
  check(ioctl(device.group, VFIO_GROUP_SET_CONTAINER, &device.container), "VFIO_GROUP_SET_CONTAINER");
  check(ioctl(device.container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), "VFIO_SET_IOMMU");
  char info[4096];
  ((struct vfio_iommu_type1_info *)info)->argsz = sizeof info;
  check(ioctl(device.container, VFIO_IOMMU_GET_INFO, info), "VFIO_IOMMU_GET_INFO");

  device.fd = check(ioctl(device.group, VFIO_GROUP_GET_DEVICE_FD, address), "VFIO_GROUP_GET_DEVICE_FD");
  struct vfio_device_info device_info = {.argsz = sizeof device_info};
  check(ioctl(device.fd, VFIO_DEVICE_GET_INFO, &device_info), "VFIO_DEVICE_GET_INFO");
  for (uint32_t i = 0; i < VFIO_PCI_NUM_REGIONS; i++) {
    device.regions[i] = (struct vfio_region_info){.argsz = sizeof device.regions[i], .index = i};
    /* Most devices lack the VGA region, which is an error. */
    ioctl(device.fd, VFIO_DEVICE_GET_REGION_INFO, &device.regions[i]);
  }
  for (uint32_t i = 0; i < VFIO_PCI_NUM_IRQS; i++) {
    struct vfio_irq_info irq = {.argsz = sizeof irq, .index = i};
    ioctl(device.fd, VFIO_DEVICE_GET_IRQ_INFO, &irq);
  }
  for (int i = 0; i < 2; i++) {
    device.notifications[i] = check(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd");
    set_irqs(&device, VFIO_PCI_ERR_IRQ_INDEX + (uint32_t)i, 1, &device.notifications[i]);
  }
  return device;
}

static inline void map_bar0(struct device *device) {
  const struct vfio_region_info *bar = &device->regions[VFIO_PCI_BAR0_REGION_INDEX];
  device->bar0 = mmap(NULL, bar->size, PROT_READ | PROT_WRITE, MAP_SHARED, device->fd, (off_t)bar->offset);
  if (device->bar0 == MAP_FAILED) err(1, "mmap");
}

static inline void close_device(struct device *device) {
  for (int i = 0; i < 2; i++) {
    set_irqs(device, VFIO_PCI_ERR_IRQ_INDEX + (uint32_t)i, 0, NULL);
    close(device->notifications[i]);
  }
  set_bus_master(device, 0);
  if (device->bar0) munmap((void *)device->bar0, device->regions[VFIO_PCI_BAR0_REGION_INDEX].size);
  close(device->fd);
  check(ioctl(device->group, VFIO_GROUP_UNSET_CONTAINER), "VFIO_GROUP_UNSET_CONTAINER");
  close(device->group);
  close(device->container);
}
