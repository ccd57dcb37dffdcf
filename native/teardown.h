#pragma once

#include <memory>

#include "context.h"

namespace vfio {

/** Gives everything back, in the order the kernel and the devices need. No JavaScript may run any more. */
void teardown(Context& context) noexcept;

/** Has `teardown` run when the process exits without ending the environment first, as `process.exit()` does.
 */
void teardownAtExit(const std::shared_ptr<Context>& context);

}  // namespace vfio
