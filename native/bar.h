#pragma once

#include <mutex>
#include <vector>

#include "device.h"
#include "pages.h"
#include "share.h"
#include "sigbus.h"
#include "view.h"

namespace vfio {

/** A part of a mapping that is the device, relative to the mapping. */
struct Area {
  uint64_t start;
  uint64_t end;
};

/** A region's bytes in this process: device pages where the region can be mapped, dead pages elsewhere. */
class BarMapping final : public Resource {
 public:
  static constexpr Kind kKind = Kind::Bar;

  /** `areas` are sorted and do not overlap. `gone` is signalled when the device stops answering. */
  BarMapping(std::shared_ptr<Context> context, std::shared_ptr<DeviceFile> device, FdRef gone,
             uint64_t fileOffset, uint64_t length, std::vector<Area> areas, bool writable);
  /** The mapping of another environment, as far as and as long as that lends it. */
  BarMapping(std::shared_ptr<Context> context, std::shared_ptr<Share> share,
             std::shared_ptr<BarMapping> lender);
  ~BarMapping() override;

  /** Where an access of `width` bytes at `offset` goes; null when it is refused. On the environment's thread.
   */
  void* at(double offset, size_t width) const noexcept {
    // Refuses NaN and negatives too; beyond 2^53 the conversion would no longer be exact.
    if (!(offset >= 0 && offset < 9007199254740992.0)) return nullptr;
    // The lender's pages stay under an access that passes here just before it ends: dead ones by then.
    if (share_ && share_->revoked()) return nullptr;
    const auto byte = static_cast<uint64_t>(offset);
    if (static_cast<double>(byte) != offset || byte % width != 0) return nullptr;
    if (byte >= first_.start && byte + width <= first_.end) return base_ + byte;
    return areas_.size() > 1 ? atOther(byte, width) : nullptr;
  }
  bool writable() const noexcept { return writable_; }
  /** How often the device stopped answering: its pages are dead ones when that is not 0. */
  uint32_t deaths() const noexcept { return slot_->dead.load(std::memory_order_acquire); }
  /** Makes dead pages all-ones again after a store hit them. In the lender's environment or a borrower's. */
  void wipe() noexcept;
  /** Puts the device's pages back where they are dead; false where they are not. On the environment's thread.
   */
  bool revive();

  /** On the environment's thread: accessors refuse from here on. */
  void refuse() noexcept;
  /** Dead pages under the views that are left, or else the range unmapped. */
  void release() noexcept override;

  Napi::Value buffer(Napi::Env env);
  std::shared_ptr<DeviceFile> device() const;

 private:
  void* atOther(uint64_t byte, size_t width) const noexcept;
  /** The areas from the device, the gaps between them dead. */
  void map(int device, const std::string& path);
  void cover(uint64_t start, uint64_t end) noexcept;

  const uint64_t fileOffset_;
  const uint64_t length_;
  const bool writable_;
  uint8_t* base_ = nullptr;
  Area first_{0, 0};
  std::vector<Area> areas_;
  bool refused_ = false;
  sigbus::Slot* slot_ = nullptr;
  mutable std::mutex mutex_;
  std::shared_ptr<Pages> pages_;
  std::shared_ptr<DeviceFile> device_;
  /** Of a mapping that was borrowed, both. */
  const std::shared_ptr<Share> share_;
  const std::shared_ptr<BarMapping> lender_;
  FdRef gone_;
  View view_;
};

void exportBar(Exports& exports);
/** The object of `BarAccessors`; its functions keep the mapping. */
Napi::Value makeAccessors(Napi::Env env, const std::shared_ptr<BarMapping>& bar);

}  // namespace vfio
