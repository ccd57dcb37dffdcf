/* The few registers of the Intel 82574L that the benchmarks touch; bench/programs/nic.ts has the same. */
#pragma once
#include "device.h"

enum {
  STATUS = 0x00008,
  CTRL_EXT = 0x00018,
  ICS = 0x000c8,
  IMS = 0x000d0,
  EIAC = 0x000dc,
  IVAR = 0x000e4,
  EITR = 0x000e8,
  /* The multicast table array: memory without an effect while the receiver is off. */
  MTA = 0x05200,

  IVAR_RXQ0_VALID = 1 << 3,
  CAUSE_RXQ0 = 1 << 20,
};

#define CTRL_EXT_PBA_SUPPORT 0x80000000u

static inline uint32_t read32(const struct device *device, uint32_t offset) {
  return *(volatile uint32_t *)(device->bar0 + offset);
}

static inline void write32(const struct device *device, uint32_t offset, uint32_t value) {
  *(volatile uint32_t *)(device->bar0 + offset) = value;
}

/* Receive queue 0 interrupts by MSI-X vector 0, each time it was armed. */
static inline void route_interrupt(struct device *device) {
  write32(device, IVAR, IVAR_RXQ0_VALID);
  write32(device, EIAC, CAUSE_RXQ0);
  write32(device, CTRL_EXT, read32(device, CTRL_EXT) | CTRL_EXT_PBA_SUPPORT);
  write32(device, EITR, 0);
  set_bus_master(device, 1);
}

static inline void arm_interrupt(const struct device *device) {
  write32(device, IMS, CAUSE_RXQ0);
}
