/*
 * A NIC that is simulated in memory: rings of advanced descriptors as Intel's 10-gigabit controllers have
 * them, which the model fills and completes between two visits of the driver. bench/programs/nic-model.ts is the same.
 */
#pragma once
#include <stddef.h>
#include <string.h>

enum {
  RING = 512,
  /* From one buffer to the next: spread over the processor's cache, as those of the kit's pool are. */
  BUFFER = 4096 + 64,
  /* Frames between two visits of the driver. */
  ARRIVALS = 448,
  FRAME = 60,
  /* The byte of each frame that the application changes. */
  TOUCHED = 48,
  REFILLS = 500,
  SAMPLES = 40,
  WARM_UP = 10,

  RX_DONE = 1,
  RX_END_OF_PACKET = 2,
  TX_DONE = 1,
  /* End of packet, insert the CRC, report status, an advanced data descriptor. */
  TX_COMMAND = 0x2b300000,
  TX_LENGTH_SHIFT = 14,
};

struct descriptor {
  uint64_t address;
  union {
    struct {
      uint32_t word2;
      uint32_t word3;
    };
    uint64_t words;
  };
};

struct nic {
  volatile struct descriptor* rx;
  volatile struct descriptor* tx;
  volatile uint32_t* rdt;
  volatile uint32_t* tdt;
  uint32_t rx_head, tx_head;
  /* Frames that the driver sent. */
  uint64_t sent;
};

static inline void start_nic(struct nic* nic) {
  void* rings = aligned_alloc(4096, 2 * RING * sizeof(struct descriptor) + 4096);
  if (!rings) err(1, "aligned_alloc");
  memset(rings, 0, 2 * RING * sizeof(struct descriptor) + 4096);
  nic->rx = rings;
  nic->tx = nic->rx + RING;
  nic->rdt = (uint32_t*)(nic->tx + RING);
  nic->tdt = nic->rdt + 16;
}

static inline void receive_frames(struct nic* nic) {
  uint32_t at = nic->rx_head;
  for (int i = 0; i < ARRIVALS; i++) {
    nic->rx[at].word3 = FRAME;
    nic->rx[at].word2 = RX_DONE | RX_END_OF_PACKET;
    at = (at + 1) & (RING - 1);
  }
  nic->rx_head = at;
}

static inline void send_frames(struct nic* nic, uint32_t tail) {
  uint32_t at = nic->tx_head;
  for (; at != tail; at = (at + 1) & (RING - 1)) {
    nic->tx[at].word3 = TX_DONE;
    nic->sent++;
  }
  nic->tx_head = at;
}

/* Sends what is left to be sent. */
static inline void drain(struct nic* nic) {
  send_frames(nic, *nic->tdt);
}

/* What happens between two visits: all that was to be sent is sent, and frames arrive. */
static __attribute__((noinline)) void refill(struct nic* nic) {
  drain(nic);
  receive_frames(nic);
}
