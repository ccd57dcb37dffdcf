#include "region.h"

#include <cstdio>

#include "device.h"
#include "sys.h"

namespace vfio {
namespace {

[[noreturn]] void shortTransfer(const char* syscall, size_t moved, size_t width, uint64_t offset,
                                const std::string& path) {
  char reason[96];
  std::snprintf(reason, sizeof reason, "the device moved %zu of %zu bytes at file offset 0x%llx", moved,
                width, static_cast<unsigned long long>(offset));
  throw SysError(EIO, syscall, path, reason);
}

/** One access of exactly `width` bytes: the kernel makes one bus access of an aligned 1, 2, 4 or 8 bytes. */
uint64_t readWidth(const DeviceFile& device, uint64_t offset, size_t width) {
  union {
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
  } value{};
  value.u64 = 0;
  const FdRef fd = device.fd.use();
  const size_t moved = sys::pread(device.context().seam, fd->get(), &value, width, offset, device.path);
  if (moved != width) shortTransfer("pread", moved, width, offset, device.path);
  switch (width) {
    case 1:
      return value.u8;
    case 2:
      return value.u16;
    case 4:
      return value.u32;
    default:
      return value.u64;
  }
}

template <typename T>
void writeWidth(const DeviceFile& device, uint64_t offset, uint64_t number) {
  const T value = static_cast<T>(number);
  const FdRef fd = device.fd.use();
  const size_t moved =
      sys::pwrite(device.context().seam, fd->get(), &value, sizeof value, offset, device.path);
  if (moved != sizeof value) shortTransfer("pwrite", moved, sizeof value, offset, device.path);
}

size_t widthFrom(Call& call, size_t index) {
  const uint32_t width = call.u32(index, "width");
  if (width != 1 && width != 2 && width != 4)
    throw Napi::TypeError::New(call.env(), "width must be 1, 2 or 4");
  return width;
}

Napi::Value regionRead(Call& call) {
  const auto device = call.handle<DeviceFile>(0, "device");
  const uint64_t offset = call.size(1, "fileOffset");
  const uint64_t value = readWidth(*device, offset, widthFrom(call, 2));
  return Napi::Number::New(call.env(), static_cast<uint32_t>(value));
}

Napi::Value regionRead64(Call& call) {
  const auto device = call.handle<DeviceFile>(0, "device");
  return Napi::BigInt::New(call.env(), readWidth(*device, call.size(1, "fileOffset"), 8));
}

Napi::Value regionWrite(Call& call) {
  const auto device = call.handle<DeviceFile>(0, "device");
  const uint64_t offset = call.size(1, "fileOffset");
  const size_t width = widthFrom(call, 2);
  const uint32_t value = call.u32(3, "value");
  if (width == 1) {
    writeWidth<uint8_t>(*device, offset, value);
  } else if (width == 2) {
    writeWidth<uint16_t>(*device, offset, value);
  } else {
    writeWidth<uint32_t>(*device, offset, value);
  }
  return call.undefined();
}

Napi::Value regionWrite64(Call& call) {
  const auto device = call.handle<DeviceFile>(0, "device");
  const uint64_t offset = call.size(1, "fileOffset");
  writeWidth<uint64_t>(*device, offset, call.bigint(2, "value"));
  return call.undefined();
}

Napi::Value regionReadInto(Call& call) {
  const auto device = call.handle<DeviceFile>(0, "device");
  const uint64_t offset = call.size(1, "fileOffset");
  const Bytes target = call.bytes(2, "target");
  const size_t moved = sys::pread(call.context().seam, device->fd.use()->get(), target.data, target.length,
                                  offset, device->path);
  return Napi::Number::New(call.env(), static_cast<double>(moved));
}

Napi::Value regionWriteFrom(Call& call) {
  const auto device = call.handle<DeviceFile>(0, "device");
  const uint64_t offset = call.size(1, "fileOffset");
  const Bytes source = call.bytes(2, "source");
  const size_t moved = sys::pwrite(call.context().seam, device->fd.use()->get(), source.data, source.length,
                                   offset, device->path);
  return Napi::Number::New(call.env(), static_cast<double>(moved));
}

}  // namespace

void exportRegion(Exports& exports) {
  exports.add<regionRead>("regionRead");
  exports.add<regionRead64>("regionRead64");
  exports.add<regionWrite>("regionWrite");
  exports.add<regionWrite64>("regionWrite64");
  exports.add<regionReadInto>("regionReadInto");
  exports.add<regionWriteFrom>("regionWriteFrom");
}

}  // namespace vfio
