// What ThreadSanitizer must find, for a run that finds nothing to mean something: two threads, one number, no order.
#include <thread>

namespace {
int number = 0;
void count() {
  for (int i = 0; i < 1000; i++) number++;
}
}  // namespace

// The entry of an addon, without the headers of one.
extern "C" __attribute__((visibility("default"))) void* napi_register_module_v1(void*, void* exports) {
  std::thread one(count);
  std::thread two(count);
  one.join();
  two.join();
  return exports;
}
