/*
 * What forwarding a packet costs (ring-driver.h), without what the simulated NIC itself costs.
 *
 *     forwarder PORTS BATCH...
 */
#include "ring-driver.h"
#include "forward-main.h"
