#pragma once

#include "call.h"

namespace vfio {

void exportIrq(Exports& exports);

}  // namespace vfio
