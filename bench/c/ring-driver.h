/*
 * A ring forwarder as fast as C makes it: receive a burst, touch each frame, send the burst, on a NIC that is simulated
 * in memory (nic-model.h). Packets are offsets of their buffers, and all that is known of them lies in arrays of its own; each half
 * of a descriptor is one access; transmitted ones are reclaimed thirty-two at a time. It counts nothing, and trusts lengths.
 */
#pragma once
#include <sys/mman.h>

#include "bench.h"
#include "nic-model.h"

enum { BUFFERS_PER_PORT = 2048, RECLAIM = 32, MAX_BATCH = 256 };

struct pool {
  uint8_t* memory;
  uint64_t iova;
  uint32_t top;
  uint32_t free[];
};

struct packet {
  /* The offset of its buffer in the pool's memory. */
  uint32_t handle;
  uint32_t size;
};

struct port {
  struct nic nic;
  struct pool* pool;
  uint32_t rx_index, tx_index, tx_clean;
  uint32_t rx_handles[RING];
  uint32_t tx_handles[RING];
};

static inline struct pool* make_pool(uint32_t count) {
  struct pool* pool = allocate(sizeof *pool + count * sizeof *pool->free);
  const size_t bytes = (size_t)count * BUFFER;
  pool->memory = aligned_alloc(1 << 21, bytes);
  if (!pool->memory) err(1, "aligned_alloc");
  if (madvise(pool->memory, bytes, MADV_HUGEPAGE)) err(1, "madvise");
  memset(pool->memory, 0, bytes);
  pool->iova = (uint64_t)pool->memory;
  for (uint32_t i = 0; i < count; i++) pool->free[pool->top++] = i * BUFFER;
  return pool;
}

static inline void arm(volatile struct descriptor* descriptor, uint64_t address) {
  descriptor->address = address;
  descriptor->words = 0;
}

static inline void start(struct port* port, struct pool* pool) {
  start_nic(&port->nic);
  port->pool = pool;
  for (int i = 0; i < RING; i++) {
    port->rx_handles[i] = pool->free[--pool->top];
    arm(&port->nic.rx[i], pool->iova + port->rx_handles[i]);
  }
  *port->nic.rdt = RING - 1;
}

static inline uint32_t receive(struct port* port, struct packet* packets, uint32_t count) {
  struct pool* const pool = port->pool;
  volatile struct descriptor* const ring = port->nic.rx;
  const uint64_t iova = pool->iova;
  uint32_t index = port->rx_index, top = pool->top, n = 0;
  for (; n < count; n++) {
    const uint64_t status = ring[index].words;
    if (!(status & RX_DONE)) break;
    if (!(status & RX_END_OF_PACKET)) errx(1, "a frame in several buffers");
    if (top == 0) errx(1, "no buffers left");
    const uint32_t fresh = pool->free[--top];
    packets[n] = (struct packet){port->rx_handles[index], status >> 32 & 0xffff};
    port->rx_handles[index] = fresh;
    arm(&ring[index], iova + fresh);
    index = (index + 1) & (RING - 1);
  }
  if (n) {
    pool->top = top;
    port->rx_index = index;
    *port->nic.rdt = (index - 1) & (RING - 1);
  }
  return n;
}

static inline void give(struct pool* pool, uint32_t handle) {
  pool->free[pool->top++] = handle;
}

static inline void reclaim(struct port* port) {
  struct pool* const pool = port->pool;
  while (((port->tx_index - port->tx_clean) & (RING - 1)) >= RECLAIM) {
    const uint32_t clean = port->tx_clean;
    if (!(port->nic.tx[clean + RECLAIM - 1].word3 & TX_DONE)) return;
    memcpy(&pool->free[pool->top], &port->tx_handles[clean], RECLAIM * sizeof *pool->free);
    pool->top += RECLAIM;
    port->tx_clean = (clean + RECLAIM) & (RING - 1);
  }
}

static inline uint32_t send(struct port* port, const struct packet* packets, uint32_t count) {
  reclaim(port);
  volatile struct descriptor* const ring = port->nic.tx;
  const uint64_t iova = port->pool->iova;
  uint32_t index = port->tx_index;
  const uint32_t room = (port->tx_clean - index - 1) & (RING - 1);
  if (count > room) count = room;
  for (uint32_t n = 0; n < count; n++) {
    const struct packet packet = packets[n];
    port->tx_handles[index] = packet.handle;
    ring[index].address = iova + packet.handle;
    ring[index].words = TX_COMMAND | packet.size | (uint64_t)packet.size << (32 + TX_LENGTH_SHIFT);
    index = (index + 1) & (RING - 1);
  }
  port->tx_index = index;
  *port->nic.tdt = index;
  return count;
}

/* A burst. Returns how many packets were forwarded; 0 when the NIC has nothing more. */
static inline uint32_t forward(struct port* port, uint32_t batch) {
  struct packet packets[MAX_BATCH];
  struct pool* const pool = port->pool;
  const uint32_t n = receive(port, packets, batch);
  for (uint32_t i = 0; i < n; i++) pool->memory[packets[i].handle + TOUCHED]++;
  const uint32_t sent = n ? send(port, packets, n) : 0;
  for (uint32_t i = sent; i < n; i++) give(pool, packets[i].handle);
  return n;
}
