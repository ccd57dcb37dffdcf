#include "errors.h"

#include <uv.h>

#include <cerrno>
#include <new>

namespace vfio {
namespace {

/** What the kernel answers with and libuv has no name for. */
struct Unnamed {
  int error;
  const char* name;
  const char* sentence;
};
constexpr Unnamed kUnnamed[] = {
    {EDEADLK, "EDEADLK", "resource deadlock would occur"},      {ENOMSG, "ENOMSG", "no message of that type"},
    {EBADFD, "EBADFD", "file descriptor in bad state"},         {ETIME, "ETIME", "timer expired"},
    {524, "ENOTSUPP", "operation not supported by the driver"},
};
const Unnamed* unnamed(int error) {
  for (const Unnamed& entry : kUnnamed) {
    if (entry.error == error) return &entry;
  }
  return nullptr;
}

std::string nameOf(int error) {
  if (const Unnamed* entry = unnamed(error)) return entry->name;
  char name[64];
  return uv_err_name_r(uv_translate_sys_error(error), name, sizeof name);
}

std::string sentenceOf(int error) {
  if (const Unnamed* entry = unnamed(error)) return entry->sentence;
  char sentence[128];
  return uv_strerror_r(uv_translate_sys_error(error), sentence, sizeof sentence);
}

/** The shape of Node's own: "EBUSY: resource busy or locked, open '/dev/vfio/12'". */
std::string compose(int error, const std::string& syscall, const std::string& path,
                    const std::string& reason) {
  std::string message = nameOf(error) + ": " + (reason.empty() ? sentenceOf(error) : reason) + ", " + syscall;
  if (!path.empty()) message += " '" + path + "'";
  return message;
}

/** V8 wrote the (then empty) message into the stack's first line when the error was made. */
void setMessage(Napi::Object error, const std::string& message) {
  error.DefineProperty(Napi::PropertyDescriptor::Value(
      "message", Napi::String::New(error.Env(), message),
      static_cast<napi_property_attributes>(napi_writable | napi_configurable)));
  const Napi::Value stack = error.Get("stack");
  if (!stack.IsString()) return;
  const std::string text = stack.As<Napi::String>();
  const size_t frames = text.find('\n');
  error.Set("stack", "Error: " + message + (frames == std::string::npos ? "" : text.substr(frames)));
}

}  // namespace

SysError::SysError(int error, std::string syscall, std::string path, std::string reason)
    : error_(error),
      code_(nameOf(error)),
      syscall_(std::move(syscall)),
      path_(std::move(path)),
      message_(compose(error_, syscall_, path_, reason)) {}

SysError badAnswer(std::string syscall, std::string path, const std::string& what) {
  return {EPROTO, std::move(syscall), std::move(path), "the kernel's answer cannot be right: " + what};
}

void describe(Napi::Object error, const std::exception_ptr& failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const SysError& e) {
    setMessage(error, e.what());
    error.Set("code", e.code());
    error.Set("errno", Napi::Number::New(error.Env(), -e.error()));
    error.Set("syscall", e.syscall());
    if (!e.path().empty()) error.Set("path", e.path());
  } catch (const ClosedError& e) {
    setMessage(error, e.what());
    error.Set("code", "ERR_VFIO_CLOSED");
  } catch (const std::bad_alloc&) {
    setMessage(error, "The process is out of memory");
    error.Set("code", nameOf(ENOMEM));
    error.Set("errno", Napi::Number::New(error.Env(), -ENOMEM));
  } catch (const std::exception& e) {
    setMessage(error, e.what());
  }
}

}  // namespace vfio
