/* What the reference programs share: a clock, order statistics, and the line each figure is reported on. */
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <err.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* The clock that process.hrtime() reads, too. */
static inline uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* Waits without giving the processor away. */
static inline void spin_until(uint64_t deadline) {
  while (now_ns() < deadline) {
  }
}

static inline void *allocate(size_t bytes) {
  void *memory = calloc(1, bytes);
  if (!memory) err(1, "calloc");
  return memory;
}

static inline int ascending(const void *a, const void *b) {
  const double x = *(const double *)a;
  const double y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The same definition as in bench/programs/report.ts: the value at rank q * (count - 1), rounded down. */
static inline double quantile(double *samples, size_t count, double q) {
  qsort(samples, count, sizeof *samples, ascending);
  return samples[(size_t)(q * (double)(count - 1))];
}

/* One line for each figure: its name, nanoseconds, and of how many samples. */
static inline void report(const char *figure, double ns, size_t samples) {
  printf("%s %.2f %zu\n", figure, ns, samples);
}

static inline void report_median(const char *figure, double *samples, size_t count) {
  report(figure, quantile(samples, count, 0.5), count);
}

static inline void report_latency(const char *figure, double *samples, size_t count) {
  char name[64];
  snprintf(name, sizeof name, "%s-p50", figure);
  report(name, quantile(samples, count, 0.5), count);
  snprintf(name, sizeof name, "%s-p99", figure);
  report(name, quantile(samples, count, 0.99), count);
}
