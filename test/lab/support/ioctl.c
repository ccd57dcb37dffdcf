/*
 * Issues an ioctl that the library has no business with, for tests: those of the kernel's own selftests.
 *
 *     ioctl REQUEST LENGTH [POINTER] < struct+payload > errno+struct+payload
 *
 * The file is descriptor 3. LENGTH is the struct's; what follows it on standard input is the payload, whose address is
 * put into the struct at the offset POINTER. Afterwards errno comes out (four bytes, 0 when it succeeded), then both as
 * the kernel left them.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

static _Alignas(8) unsigned char bytes[1 << 20];

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  const unsigned long request = strtoul(argv[1], NULL, 0);
  const size_t length = strtoul(argv[2], NULL, 0);
  const size_t total = fread(bytes, 1, sizeof bytes, stdin);
  if (total < length) return 2;
  if (argc > 3) {
    const uint64_t payload = (uintptr_t)(bytes + length);
    memcpy(bytes + strtoul(argv[3], NULL, 0), &payload, sizeof payload);
  }
  const uint32_t error = ioctl(3, request, bytes) < 0 ? (uint32_t)errno : 0;
  fwrite(&error, sizeof error, 1, stdout);
  fwrite(bytes, 1, total, stdout);
  return fflush(stdout) == 0 ? 0 : 1;
}
