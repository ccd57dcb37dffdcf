#pragma once

#include "call.h"

namespace vfio {

void exportCdev(Exports& exports);

}  // namespace vfio
