#pragma once

#include "call.h"

namespace vfio {

void exportHotReset(Exports& exports);

}  // namespace vfio
