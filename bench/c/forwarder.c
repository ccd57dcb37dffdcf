/*
 * A ring forwarder as a C programmer writes it: receive a burst, touch each frame, send the burst, on a NIC that is
 * simulated in memory (nic-model.h). Packets are structs, the pool is a stack of them, transmitted ones are reclaimed
 * thirty-two at a time.
 *
 *     forwarder PORTS BATCH...
 */
#include <sys/mman.h>

#include "bench.h"
#include "nic-model.h"

enum { HEADROOM = 40, BUFFERS_PER_PORT = 2048, RECLAIM = 32, MAX_BATCH = 256 };

struct pool;

struct packet {
  uint64_t iova;
  struct pool* pool;
  uint32_t index;
  uint32_t size;
  uint8_t headroom[HEADROOM];
  uint8_t data[];
};

struct pool {
  uint8_t* memory;
  uint32_t top;
  uint32_t free[];
};

struct port {
  struct nic nic;
  struct pool* pool;
  uint16_t rx_index, tx_index, tx_clean;
  struct packet* rx_packets[RING];
  struct packet* tx_packets[RING];
};

static struct pool* make_pool(uint32_t count) {
  struct pool* pool = allocate(sizeof *pool + count * sizeof *pool->free);
  pool->memory = aligned_alloc(1 << 21, (size_t)count * BUFFER);
  if (!pool->memory) err(1, "aligned_alloc");
  if (madvise(pool->memory, (size_t)count * BUFFER, MADV_HUGEPAGE)) err(1, "madvise");
  for (uint32_t i = 0; i < count; i++) {
    struct packet* packet = (struct packet*)(pool->memory + (size_t)i * BUFFER);
    packet->iova = (uint64_t)packet;
    packet->pool = pool;
    packet->index = i;
    pool->free[pool->top++] = i;
  }
  return pool;
}

static struct packet* take(struct pool* pool) {
  if (pool->top == 0) return NULL;
  return (struct packet*)(pool->memory + (size_t)pool->free[--pool->top] * BUFFER);
}

static void give(struct packet* packet) {
  struct pool* pool = packet->pool;
  pool->free[pool->top++] = packet->index;
}

static void arm(volatile struct descriptor* descriptor, const struct packet* packet) {
  descriptor->address = packet->iova + offsetof(struct packet, data);
  descriptor->word2 = 0;
  descriptor->word3 = 0;
}

static void start(struct port* port, struct pool* pool) {
  start_nic(&port->nic);
  port->pool = pool;
  for (int i = 0; i < RING; i++) {
    port->rx_packets[i] = take(pool);
    arm(&port->nic.rx[i], port->rx_packets[i]);
  }
  *port->nic.rdt = RING - 1;
}

static __attribute__((noinline)) uint32_t receive(struct port* port, struct packet** packets, uint32_t count) {
  uint16_t index = port->rx_index;
  uint16_t last = index;
  uint32_t n = 0;
  for (; n < count; n++) {
    volatile struct descriptor* descriptor = &port->nic.rx[index];
    const uint32_t status = descriptor->word2;
    if (!(status & RX_DONE)) break;
    if (!(status & RX_END_OF_PACKET)) errx(1, "a frame in several buffers");
    struct packet* packet = port->rx_packets[index];
    packet->size = descriptor->word3 & 0xffff;
    struct packet* fresh = take(port->pool);
    if (!fresh) errx(1, "no buffers left");
    arm(descriptor, fresh);
    port->rx_packets[index] = fresh;
    packets[n] = packet;
    last = index;
    index = (index + 1) & (RING - 1);
  }
  if (last != index) {
    *port->nic.rdt = last;
    port->rx_index = index;
  }
  return n;
}

static void reclaim(struct port* port) {
  for (;;) {
    const uint16_t in_flight = (port->tx_index - port->tx_clean) & (RING - 1);
    if (in_flight < RECLAIM) return;
    const uint16_t last = (port->tx_clean + RECLAIM - 1) & (RING - 1);
    if (!(port->nic.tx[last].word3 & TX_DONE)) return;
    for (int i = 0; i < RECLAIM; i++) give(port->tx_packets[(port->tx_clean + i) & (RING - 1)]);
    port->tx_clean = (last + 1) & (RING - 1);
  }
}

static __attribute__((noinline)) uint32_t send(struct port* port, struct packet** packets, uint32_t count) {
  reclaim(port);
  uint16_t index = port->tx_index;
  uint32_t n = 0;
  for (; n < count; n++) {
    const uint16_t next = (index + 1) & (RING - 1);
    if (next == port->tx_clean) break;
    struct packet* packet = packets[n];
    volatile struct descriptor* descriptor = &port->nic.tx[index];
    port->tx_packets[index] = packet;
    descriptor->address = packet->iova + offsetof(struct packet, data);
    descriptor->word2 = TX_COMMAND | packet->size;
    descriptor->word3 = packet->size << TX_LENGTH_SHIFT;
    index = next;
  }
  port->tx_index = index;
  *port->nic.tdt = index;
  return n;
}

/* Until the NIC has nothing more. Returns how many packets were forwarded. */
static uint32_t forward(struct port* port, uint32_t batch) {
  struct packet* packets[MAX_BATCH];
  const uint32_t n = receive(port, packets, batch);
  for (uint32_t i = 0; i < n; i++) packets[i]->data[TOUCHED]++;
  const uint32_t sent = n ? send(port, packets, n) : 0;
  for (uint32_t i = sent; i < n; i++) give(packets[i]);
  return n;
}

static void forward_all(struct port* ports, size_t count, uint32_t batch) {
  uint32_t n;
  do {
    n = 0;
    for (size_t i = 0; i < count; i++) n += forward(&ports[i], batch);
  } while (n);
}

int main(int argc, char** argv) {
  if (argc < 3) errx(2, "usage: forwarder PORTS BATCH...");
  const size_t count = strtoul(argv[1], NULL, 10);
  struct port* ports = allocate(count * sizeof *ports);
  for (size_t i = 0; i < count; i++) start(&ports[i], make_pool(BUFFERS_PER_PORT));
  for (int i = 2; i < argc; i++) {
    const uint32_t batch = (uint32_t)strtoul(argv[i], NULL, 10);
    if (batch < 1 || batch > MAX_BATCH) errx(2, "batch must be from 1 to %d", MAX_BATCH);
    double samples[SAMPLES];
    for (int s = -WARM_UP; s < SAMPLES; s++) {
      const uint64_t begin = now_ns();
      for (int r = 0; r < REFILLS; r++) {
        for (size_t p = 0; p < count; p++) refill(&ports[p].nic);
        forward_all(ports, count, batch);
      }
      const uint64_t middle = now_ns();
      for (size_t p = 0; p < count; p++) idle(&ports[p].nic, REFILLS);
      const uint64_t end = now_ns();
      for (size_t p = 0; p < count; p++) settle(&ports[p].nic);
      const double packets = (double)REFILLS * ARRIVALS * (double)count;
      if (s >= 0) samples[s] = ((double)(middle - begin) - (double)(end - middle)) / packets;
    }
    uint64_t forwarded = 0;
    for (size_t p = 0; p < count; p++) forwarded += ports[p].nic.sent;
    if (forwarded != (uint64_t)(i - 1) * (WARM_UP + SAMPLES) * REFILLS * ARRIVALS * count) errx(1, "packets are missing");
    char figure[64];
    snprintf(figure, sizeof figure, "batch-%u", batch);
    report_median(figure, samples, SAMPLES);
  }
}
