#pragma once

#include "call.h"

namespace vfio {

void exportViommu(Exports& exports);

}  // namespace vfio
