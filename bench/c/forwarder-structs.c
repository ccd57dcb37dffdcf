/*
 * What forwarding a packet costs (struct-driver.h), without what the simulated NIC itself costs.
 *
 *     forwarder-structs PORTS BATCH...
 */
#include "struct-driver.h"
#include "forward-main.h"
