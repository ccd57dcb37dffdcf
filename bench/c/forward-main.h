/*
 * What forwarding a packet costs with the driver that was included before. What the simulated NIC itself costs is left
 * out, and so is reading the clock.
 */
#pragma once


/* Until no NIC has anything more. With one port a program has no loop over ports. */
static void forward_all(struct port* ports, size_t count, uint32_t batch) {
  if (count == 1) {
    while (forward(ports, batch)) {
    }
    return;
  }
  uint32_t n;
  do {
    n = 0;
    for (size_t i = 0; i < count; i++) n += forward(&ports[i], batch);
  } while (n);
}

int main(int argc, char** argv) {
  if (argc < 3) errx(2, "usage: %s PORTS BATCH...", argv[0]);
  const size_t count = strtoul(argv[1], NULL, 10);
  struct port* ports = allocate(count * sizeof *ports);
  for (size_t i = 0; i < count; i++) start(&ports[i], make_pool(BUFFERS_PER_PORT));
  for (int i = 2; i < argc; i++) {
    const uint32_t batch = (uint32_t)strtoul(argv[i], NULL, 10);
    if (batch < 1 || batch > MAX_BATCH) errx(2, "batch must be from 1 to %d", MAX_BATCH);
    double samples[SAMPLES];
    for (int s = -WARM_UP; s < SAMPLES; s++) {
      uint64_t spent = 0, clock = 0;
      for (int r = 0; r < REFILLS; r++) {
        for (size_t p = 0; p < count; p++) refill(&ports[p].nic);
        const uint64_t begin = now_ns();
        forward_all(ports, count, batch);
        spent += now_ns() - begin;
      }
      for (int r = 0; r < REFILLS; r++) {
        const uint64_t begin = now_ns();
        clock += now_ns() - begin;
      }
      const double packets = (double)REFILLS * ARRIVALS * (double)count;
      if (s >= 0) samples[s] = ((double)spent - (double)clock) / packets;
    }
    uint64_t forwarded = 0;
    for (size_t p = 0; p < count; p++) {
      drain(&ports[p].nic);
      forwarded += ports[p].nic.sent;
    }
    if (forwarded != (uint64_t)(i - 1) * (WARM_UP + SAMPLES) * REFILLS * ARRIVALS * count)
      errx(1, "packets are missing");
    char figure[64];
    snprintf(figure, sizeof figure, "batch-%u", batch);
    report(figure, quantile(samples, SAMPLES, 0.5), (size_t)SAMPLES * REFILLS * ARRIVALS * count);
  }
}
