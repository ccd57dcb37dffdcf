#pragma once

#include "call.h"

namespace vfio {

void exportRegion(Exports& exports);

}  // namespace vfio
