/* Prints how many thousand times a second this processor's time stamp counter goes on. */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

struct moment {
  uint64_t ticks;
  int64_t ns;
};

/* Of a few readings the one with the least time between its two clocks: nothing came between them. */
static struct moment now(void) {
  struct moment best = {0, 0};
  uint64_t least = UINT64_MAX;
  for (int i = 0; i < 16; i++) {
    const uint64_t before = __rdtsc();
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    const uint64_t after = __rdtsc();
    if (after - before >= least) continue;
    least = after - before;
    best.ticks = before + least / 2;
    best.ns = time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
  }
  return best;
}

int main(void) {
  const struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};
  const struct moment begin = now();
  nanosleep(&pause, NULL);
  const struct moment end = now();
  printf("%.0f\n", (double)(end.ticks - begin.ticks) * 1e6 / (double)(end.ns - begin.ns));
  return 0;
}
