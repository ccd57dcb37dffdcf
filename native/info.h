#pragma once

#include <napi.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "errors.h"
#include "sys.h"
#include "uapi.h"

namespace vfio {

/** What an info ioctl answered: the structure, followed by its capability chain. */
class InfoBlock {
 public:
  /** `first` is zeroed but for what selects the answer (an index); its first member is `argsz`. */
  template <typename Info>
  static InfoBlock query(Seam& seam, int fd, unsigned long request, const char* name, const std::string& path,
                         const Info& first) {
    InfoBlock block(sizeof(Info));
    for (;;) {
      std::memcpy(block.bytes_.data(), &first, sizeof(Info));
      const auto offered = static_cast<uint32_t>(block.bytes_.size());
      std::memcpy(block.bytes_.data(), &offered, sizeof offered);
      sys::ioctl(seam, fd, request, name, block.bytes_.data(), path);
      // The kernel answers with the size it would have liked when the chain did not fit.
      const auto wanted = block.as<vfio_group_status>().argsz;
      if (wanted <= offered || offered == kMaxSize) return block;
      block.bytes_.assign(wanted < kMaxSize ? wanted : kMaxSize, 0);
    }
  }

  template <typename Info>
  Info as() const {
    Info info;
    std::memcpy(&info, bytes_.data(), sizeof info);
    return info;
  }
  /** The chain that starts at `offset` (0: none) as an array of `RawCapability`. */
  Napi::Array capabilities(Napi::Env env, uint32_t offset) const;

 private:
  static constexpr uint32_t kMaxSize = 64 * 1024;
  explicit InfoBlock(size_t size) : bytes_(size) {}

  std::vector<uint8_t> bytes_;
};

}  // namespace vfio
