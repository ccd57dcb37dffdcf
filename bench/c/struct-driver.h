/*
 * A ring forwarder as drivers in C mostly are: packets are structs at the beginning of their buffers, and the pool is a stack of
 * them. It is slower than ring-driver.h by what that costs: of each packet a struct is read and written, too, and its half
 * of a descriptor is written in two pieces, as ixy does it.
 */
#pragma once
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

static inline struct pool* make_pool(uint32_t count) {
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

static inline struct packet* take(struct pool* pool) {
  if (pool->top == 0) return NULL;
  return (struct packet*)(pool->memory + (size_t)pool->free[--pool->top] * BUFFER);
}

static inline void give(struct packet* packet) {
  struct pool* pool = packet->pool;
  pool->free[pool->top++] = packet->index;
}

static inline void arm(volatile struct descriptor* descriptor, const struct packet* packet) {
  descriptor->address = packet->iova + offsetof(struct packet, data);
  descriptor->word2 = 0;
  descriptor->word3 = 0;
}

static inline void start(struct port* port, struct pool* pool) {
  start_nic(&port->nic);
  port->pool = pool;
  for (int i = 0; i < RING; i++) {
    port->rx_packets[i] = take(pool);
    arm(&port->nic.rx[i], port->rx_packets[i]);
  }
  *port->nic.rdt = RING - 1;
}

static inline uint32_t receive(struct port* port, struct packet** packets,
                                                  uint32_t count) {
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

static inline void reclaim(struct port* port) {
  for (;;) {
    const uint16_t in_flight = (port->tx_index - port->tx_clean) & (RING - 1);
    if (in_flight < RECLAIM) return;
    const uint16_t last = (port->tx_clean + RECLAIM - 1) & (RING - 1);
    if (!(port->nic.tx[last].word3 & TX_DONE)) return;
    for (int i = 0; i < RECLAIM; i++) give(port->tx_packets[(port->tx_clean + i) & (RING - 1)]);
    port->tx_clean = (last + 1) & (RING - 1);
  }
}

static inline uint32_t send(struct port* port, struct packet** packets, uint32_t count) {
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
static inline uint32_t forward(struct port* port, uint32_t batch) {
  struct packet* packets[MAX_BATCH];
  const uint32_t n = receive(port, packets, batch);
  for (uint32_t i = 0; i < n; i++) packets[i]->data[TOUCHED]++;
  const uint32_t sent = n ? send(port, packets, n) : 0;
  for (uint32_t i = sent; i < n; i++) give(packets[i]);
  return n;
}
