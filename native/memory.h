#pragma once

#include <mutex>

#include "call.h"
#include "forks.h"
#include "pages.h"
#include "view.h"

namespace vfio {

/** Memory that devices may be given: pages of our own, or a view the caller brought. */
class Memory final : public Resource {
 public:
  static constexpr Kind kKind = Kind::Memory;

  struct Request {
    size_t length;
    size_t alignment;
    size_t hugePageSize;
    int numaNode;
    /** Where in this process, 0 for anywhere. */
    uintptr_t address;
  };
  /** Own pages, populated; any thread. */
  Memory(std::shared_ptr<Context> context, const Request& request);
  /** `view` is a strong reference to the Uint8Array that shows `bytes`, owned from here on. */
  Memory(std::shared_ptr<Context> context, Bytes bytes, napi_ref view);
  /** Memory of another environment: the same pages, which stay that one's to give to devices and to free. */
  Memory(std::shared_ptr<Context> context, const std::shared_ptr<Memory>& lender);
  ~Memory() override { release(); }

  uint8_t* address() const;
  /** What may be mapped for a device: whole pages when they are our own. */
  uint64_t mappedLength() const;
  Napi::Value buffer(Napi::Env env);
  /** Whether its pages are our own, rather than those of a view that was brought. */
  bool hasPages() const;

  /** A DMA mapping begins or ends. While there is one, a brought view's pages are kept out of forked
   * children. */
  void pin();
  void unpin() noexcept;
  /** Throws `EBUSY` while pinned. */
  void free();
  void release() noexcept override;

 private:
  void populate(const Request& request);
  void keepFromForks();
  void checkOpen() const;

  uint8_t* data_ = nullptr;
  size_t length_ = 0;
  mutable std::mutex mutex_;
  std::shared_ptr<Pages> pages_;
  /** For as long as our own pages exist, and for as long as brought ones are mapped. */
  std::unique_ptr<KeptFromForks> kept_;
  napi_ref brought_ = nullptr;
  unsigned pins_ = 0;
  const bool borrowed_ = false;
  bool freed_ = false;
  View view_;
};

void exportMemory(Exports& exports);

}  // namespace vfio
