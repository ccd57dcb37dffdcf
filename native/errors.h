#pragma once

#include <napi.h>

#include <exception>
#include <stdexcept>
#include <string>

namespace vfio {

/** A system call that failed; becomes a JavaScript `Error` with `code`, `errno`, `syscall` and `path`. */
class SysError : public std::exception {
 public:
  /** `reason` replaces the errno's own sentence where that would mislead. */
  SysError(int error, std::string syscall, std::string path, std::string reason = {});

  const char* what() const noexcept override { return message_.c_str(); }
  int error() const noexcept { return error_; }
  const std::string& code() const noexcept { return code_; }
  const std::string& syscall() const noexcept { return syscall_; }
  const std::string& path() const noexcept { return path_; }

 private:
  const int error_;
  const std::string code_;
  const std::string syscall_;
  const std::string path_;
  const std::string message_;
};

/** The kernel's answer contradicts itself: `EPROTO`. */
SysError badAnswer(std::string syscall, std::string path, const std::string& what);

/** The use of something that was closed: `ERR_VFIO_CLOSED`. */
class ClosedError : public std::runtime_error {
 public:
  explicit ClosedError(const char* what) : std::runtime_error(std::string("The ") + what + " is closed") {}
};

/** Fills an `Error` object that was made earlier, so that its stack is the caller's, with what went wrong. */
void describe(Napi::Object error, const std::exception_ptr& failure);

/** Runs `body` and turns the C++ exceptions above into the JavaScript error they stand for. */
template <typename Body>
Napi::Value translate(Napi::Env env, Body body) {
  try {
    return body();
  } catch (const Napi::Error&) {
    throw;
  } catch (const std::exception&) {
    Napi::Error error = Napi::Error::New(env, "");
    describe(error.Value(), std::current_exception());
    throw error;
  }
}

}  // namespace vfio
