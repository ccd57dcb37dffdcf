#include "bar.h"
#include "eventfd.h"
#include "memory.h"
#include "share.h"
#include "sys.h"

/** Lending to other environments, and borrowing from them: the calls. */
namespace vfio {
namespace {

template <typename T>
Napi::Value shareIt(Call& call) {
  const auto resource = call.handle<T>(0, "resource");
  const std::string key = call.string(1, "key");
  shares::add(key, std::make_shared<Share>(resource, call.string(2, "about")));
  return call.undefined();
}

/** What a key stands for; null where that is nothing of this kind, or over. */
template <typename T>
struct Found {
  explicit Found(Call& call) : share(shares::find(call.string(0, "key"))) {
    const std::shared_ptr<Resource> lent = share ? share->lent() : nullptr;
    if (lent && lent->kind() == T::kKind) lender = std::static_pointer_cast<T>(lent);
  }
  std::shared_ptr<Share> share;
  std::shared_ptr<T> lender;
};

Napi::Value adopted(Call& call, std::shared_ptr<Resource> resource, const Share& share) {
  Napi::Object result = Napi::Object::New(call.env());
  result.Set("handle", wrap(call.env(), std::move(resource)));
  result.Set("about", share.about);
  return result;
}

Napi::Value adoptBar(Call& call) {
  const Found<BarMapping> found(call);
  if (!found.lender) return call.env().Null();
  return adopted(call, call.context().make<BarMapping>(found.share, found.lender), *found.share);
}

Napi::Value adoptMemory(Call& call) {
  const Found<Memory> found(call);
  const Bytes view = call.bytesOrNull(1, "view");
  if (!found.lender) return call.env().Null();
  // Memory that was brought is kept from going away by the borrower's own reference only: it must be that.
  const uint8_t* const start = found.lender->address();
  const bool inside = view.data <= start && start + found.lender->mappedLength() <= view.data + view.length;
  if (!found.lender->hasPages() && !inside) return call.env().Null();
  return adopted(call, call.context().make<Memory>(found.lender), *found.share);
}

Napi::Value adoptEventFd(Call& call) {
  const Found<EventFd> found(call);
  const int64_t thread = call.integer(1, "thread", 0, kMaxSafeInteger);
  if (!found.lender) return call.env().Null();
  const FdRef fd = found.lender->fd.use();
  const auto eventfd = call.context().make<EventFd>(sys::duplicate(call.context().seam, fd->get(), {}));
  const int64_t holder = eventfd->borrow(found.share, thread);
  if (holder != Share::kNoThread) {
    eventfd->release();
    return Napi::Number::New(call.env(), static_cast<double>(holder));
  }
  return adopted(call, std::move(eventfd), *found.share);
}

Napi::Value shareOpen(Call& call) {
  return Napi::Boolean::New(call.env(), shares::find(call.string(0, "key")) != nullptr);
}

Napi::Value shareRevoke(Call& call) {
  shares::revoke(call.string(0, "key"));
  return call.undefined();
}

Napi::Value shareTake(Call& call) {
  const auto share = shares::find(call.string(0, "key"));
  const int64_t thread = call.integer(1, "thread", 0, kMaxSafeInteger);
  const int64_t holder = share ? share->take(Share::User::Lender, thread) : Share::kNoThread;
  return Napi::Number::New(call.env(), static_cast<double>(holder));
}

Napi::Value shareGiveBack(Call& call) {
  if (const auto share = shares::find(call.string(0, "key"))) share->giveBack(Share::User::Lender);
  return call.undefined();
}

Napi::Value shareBorrower(Call& call) {
  const auto share = shares::find(call.string(0, "key"));
  return Napi::Number::New(call.env(), static_cast<double>(share ? share->borrower() : Share::kNoThread));
}

}  // namespace

void exportShare(Exports& exports) {
  exports.add<shareIt<BarMapping>>("shareBar");
  exports.add<shareIt<Memory>>("shareMemory");
  exports.add<shareIt<EventFd>>("shareEventFd");
  exports.add<adoptBar>("adoptBar");
  exports.add<adoptMemory>("adoptMemory");
  exports.add<adoptEventFd>("adoptEventFd");
  exports.add<shareOpen>("shareOpen");
  exports.add<shareRevoke>("shareRevoke");
  exports.add<shareTake>("shareTake");
  exports.add<shareGiveBack>("shareGiveBack");
  exports.add<shareBorrower>("shareBorrower");
}

}  // namespace vfio
