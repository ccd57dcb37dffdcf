#pragma once

#include "call.h"

namespace vfio {

void exportFeature(Exports& exports);

}  // namespace vfio
