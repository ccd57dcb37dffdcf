#pragma once

#include <memory>

#include "context.h"

namespace vfio {

/**
 * Closes everything that is open, devices first, and from now on whatever is opened as soon as it is there. A
 * device open behind the back of those who give its driver back would have the kernel wait for ever.
 */
void closeAll(Context& context) noexcept;

/** Gives everything back, in the order the kernel and the devices need. No JavaScript may run any more. */
void teardown(Context& context) noexcept;

/** Has `teardown` run when the process exits without ending the environment first, as `process.exit()` does.
 */
void teardownAtExit(const std::shared_ptr<Context>& context);

}  // namespace vfio
