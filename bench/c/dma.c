/*
 * Mapping memory for a device and unmapping it.
 *
 *     dma ADDRESS map SIZE TIMES      memory that is there and touched already: the system calls alone
 *     dma ADDRESS alloc SIZE TIMES    with getting the memory, zeroed, in huge pages, and giving it back
 *
 * Sizes in bytes.
 */
#include "device.h"

static const uint64_t iova = 0x40000000;

static void map_dma(const struct device *device, void *memory, size_t size) {
  const struct vfio_iommu_type1_dma_map request = {.argsz = sizeof request,
                                                   .flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
                                                   .vaddr = (uintptr_t)memory,
                                                   .iova = iova,
                                                   .size = size};
  check(ioctl(device->container, VFIO_IOMMU_MAP_DMA, &request), "VFIO_IOMMU_MAP_DMA");
}

static void unmap_dma(const struct device *device, size_t size) {
  struct vfio_iommu_type1_dma_unmap request = {.argsz = sizeof request, .iova = iova, .size = size};
  check(ioctl(device->container, VFIO_IOMMU_UNMAP_DMA, &request), "VFIO_IOMMU_UNMAP_DMA");
}

static void *allocate_pages(size_t size, int flags) {
  void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
  if (memory == MAP_FAILED) err(1, "mmap of %zu bytes", size);
  /* As the library does: a fork must not move pages away from under the device. */
  check(madvise(memory, size, MADV_DONTFORK), "madvise");
  check(madvise(memory, size, MADV_POPULATE_WRITE), "madvise");
  return memory;
}

int main(int argc, char **argv) {
  if (argc != 5) errx(2, "usage: dma ADDRESS map|alloc SIZE TIMES");
  const int with_memory = strcmp(argv[2], "alloc") == 0;
  const size_t size = strtoul(argv[3], NULL, 10);
  const size_t times = strtoul(argv[4], NULL, 10);
  struct device device = open_device(argv[1]);

  /* Aligned so that huge pages fit, where the system gives them unasked. */
  void *memory = NULL;
  if (!with_memory) {
    const uintptr_t huge = 2 << 20;
    char *reserved = mmap(NULL, size + huge, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (reserved == MAP_FAILED) err(1, "mmap");
    memory = (void *)(((uintptr_t)reserved + huge - 1) & ~(huge - 1));
    memset(memory, 1, size);
  }

  const size_t warm = times / 2;
  double *mapping = allocate(times * sizeof *mapping);
  double *unmapping = allocate(times * sizeof *unmapping);
  for (size_t i = 0; i < warm + times; i++) {
    const uint64_t start = now_ns();
    if (with_memory) memory = allocate_pages(size, MAP_HUGETLB);
    map_dma(&device, memory, size);
    const uint64_t mapped = now_ns();
    unmap_dma(&device, size);
    if (with_memory) munmap(memory, size);
    const uint64_t end = now_ns();
    if (i < warm) continue;
    mapping[i - warm] = (double)(mapped - start);
    unmapping[i - warm] = (double)(end - mapped);
  }
  report_median("map", mapping, times);
  report_median("unmap", unmapping, times);
  close_device(&device);
}
