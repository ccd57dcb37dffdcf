/*
 * What a register access costs: a 32-bit load and store in mapped BAR0, and the same by pread and pwrite.
 *
 *     registers ADDRESS
 */
#include "nic.h"

enum { BATCH = 1000, SAMPLES = 60 };

static const uint64_t warm_up_ns = 400000000;

static uint32_t sink;

static void load(const struct device *device) {
  uint32_t sum = 0;
  for (int i = 0; i < BATCH; i++) sum += read32(device, STATUS);
  sink = sum;
}

static void store(const struct device *device) {
  for (int i = 0; i < BATCH; i++) write32(device, MTA, (uint32_t)i);
}

static void load_by_call(const struct device *device) {
  const off_t at = (off_t)(device->regions[0].offset + STATUS);
  uint32_t sum = 0;
  for (int i = 0; i < BATCH; i++) {
    uint32_t value;
    if (pread(device->fd, &value, sizeof value, at) != sizeof value) err(1, "pread");
    sum += value;
  }
  sink = sum;
}

static void store_by_call(const struct device *device) {
  const off_t at = (off_t)(device->regions[0].offset + MTA);
  for (int i = 0; i < BATCH; i++) {
    const uint32_t value = (uint32_t)i;
    if (pwrite(device->fd, &value, sizeof value, at) != sizeof value) err(1, "pwrite");
  }
}

static void measure(const char *figure, void (*batch)(const struct device *), const struct device *device) {
  double samples[SAMPLES];
  const uint64_t warm = now_ns() + warm_up_ns;
  while (now_ns() < warm) batch(device);
  for (int i = 0; i < SAMPLES; i++) {
    const uint64_t start = now_ns();
    batch(device);
    samples[i] = (double)(now_ns() - start) / BATCH;
  }
  report(figure, quantile(samples, SAMPLES, 0.5), (size_t)SAMPLES * BATCH);
}

int main(int argc, char **argv) {
  if (argc != 2) errx(2, "usage: registers ADDRESS");
  struct device device = open_device(argv[1]);
  map_bar0(&device);
  measure("read32", load, &device);
  measure("write32", store, &device);
  measure("pread", load_by_call, &device);
  measure("pwrite", store_by_call, &device);
  close_device(&device);
}
