/*
 * Opening a device, mapping and reading a register, and closing it again.
 *
 *     open ADDRESS TIMES
 */
#include "nic.h"

int main(int argc, char **argv) {
  if (argc != 3) errx(2, "usage: open ADDRESS TIMES");
  const size_t times = strtoul(argv[2], NULL, 10);
  double *all = allocate(times * sizeof *all);
  double *opening = allocate(times * sizeof *opening);
  double *closing = allocate(times * sizeof *closing);
  for (size_t i = 0; i <= times; i++) {
    const uint64_t start = now_ns();
    struct device device = open_device(argv[1]);
    map_bar0(&device);
    if (read32(&device, STATUS) == UINT32_MAX) errx(1, "the device does not answer");
    const uint64_t open = now_ns();
    close_device(&device);
    const uint64_t end = now_ns();
    /* The first is warm-up. */
    if (i == 0) continue;
    all[i - 1] = (double)(end - start);
    opening[i - 1] = (double)(open - start);
    closing[i - 1] = (double)(end - open);
  }
  report_median("all", all, times);
  report_median("open", opening, times);
  report_median("close", closing, times);
}
