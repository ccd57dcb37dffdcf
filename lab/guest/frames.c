#include "frames.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

int port = -1;

/* What has arrived and is not yet a whole frame. */
static char* inbox = NULL;
static size_t inbox_length = 0, inbox_room = 0;

static void __attribute__((noreturn)) power_off(void) {
  sync();
  reboot(RB_POWER_OFF);
  _exit(1);
}

void die(const char* what) {
  fprintf(stderr, "lab agent: %s: %s\n", what, strerror(errno));
  power_off();
}

void open_port(const char* path) {
  port = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (port < 0) die(path);
}

static void send_all(const char* data, size_t length) {
  while (length > 0) {
    ssize_t n = write(port, data, length);
    if (n > 0) {
      data += n;
      length -= (size_t)n;
    } else if (n < 0 && errno == EAGAIN) {
      struct pollfd p = {.fd = port, .events = POLLOUT};
      poll(&p, 1, -1);
      if (p.revents & POLLHUP) power_off();
    } else if (n < 0 && errno != EINTR) {
      die("write to the host");
    }
  }
}

void send_frame(char type, const void* data, uint32_t length) {
  static char frame[5 + CHUNK];
  frame[0] = type;
  memcpy(frame + 1, &length, 4);
  if (length > 0) memcpy(frame + 5, data, length);
  send_all(frame, 5 + length);
}

void receive_frames(void (*handle)(char type, char* data, size_t length)) {
  if (inbox_room - inbox_length < CHUNK) {
    inbox_room = inbox_room * 2 + CHUNK;
    inbox = realloc(inbox, inbox_room);
    if (inbox == NULL) die("out of memory");
  }
  ssize_t n = read(port, inbox + inbox_length, CHUNK);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) power_off();
  inbox_length += (size_t)n;

  size_t used = 0;
  while (inbox_length - used >= 5) {
    uint32_t length;
    memcpy(&length, inbox + used + 1, 4);
    if (inbox_length - used < 5 + (size_t)length) break;
    handle(inbox[used], inbox + used + 5, length);
    used += 5 + (size_t)length;
  }
  memmove(inbox, inbox + used, inbox_length - used);
  inbox_length -= used;
}
