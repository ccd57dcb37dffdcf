#pragma once

#include "call.h"

namespace vfio {

void exportHwpt(Exports& exports);

}  // namespace vfio
