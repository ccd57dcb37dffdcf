#pragma once

#include "call.h"

namespace vfio {

void exportIoEventFd(Exports& exports);

}  // namespace vfio
