#pragma once

#include "call.h"

namespace vfio {

void exportDisplay(Exports& exports);

}  // namespace vfio
