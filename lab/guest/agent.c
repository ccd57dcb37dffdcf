/*
 * The guest's process 1 once the file systems are mounted: runs commands for the host, over one virtio-serial
 * port.
 *
 * A frame is one type byte, a 32-bit little-endian length and that many bytes; lab/protocol.ts is the other
 * end.
 *
 * Host to guest:
 * - R: run a command. Strings, each ended by a NUL: "pipe" or "tty", rows, columns, working directory, number
 * of arguments, the arguments, the environment.
 * - I: standard input. E: end of standard input.
 * - W: window size, "rows columns". K: send a signal, its number.
 *
 * Guest to host:
 * - Y: ready.
 * - O: standard output. F: standard error. A: this many bytes of input (32 bits) were taken.
 * - X: the command ended, "exit N" or "signal N".
 *
 * A program of its own and not a shell script, because what matters is what a shell cannot promise: every
 * byte that the command wrote arrives before its exit code, a half-closed input is an end of file, and no
 * orphan can hold up the end.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "command.h"
#include "frames.h"

static void handle_frame(char type, char* data, size_t length) {
  char text[64] = "";
  int a = 0, b = 0;
  if (length < sizeof text) memcpy(text, data, length);
  if (type == 'R') {
    if (!command_runs()) start_command(data, length);
  } else if (!command_runs()) {
    /* A late signal or input for a command that is gone. */
  } else if (type == 'I') {
    take_input(data, length);
  } else if (type == 'E') {
    end_input();
  } else if (type == 'W' && sscanf(text, "%d %d", &a, &b) == 2) {
    set_window(a, b);
  } else if (type == 'K' && sscanf(text, "%d", &a) == 1) {
    signal_command(a);
  }
}

/* Returns a descriptor that is readable when a process has ended. */
static int watch_children(void) {
  sigset_t watched;
  sigemptyset(&watched);
  sigaddset(&watched, SIGCHLD);
  sigprocmask(SIG_BLOCK, &watched, NULL);
  int fd = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) die("signalfd");
  return fd;
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  open_port(argv[1]);
  int children = watch_children();
  signal(SIGPIPE, SIG_IGN);
  /* What a distribution gives its processes; the kernel alone is meaner than that. */
  struct rlimit files = {.rlim_cur = 1024, .rlim_max = 524288};
  setrlimit(RLIMIT_NOFILE, &files);
  send_frame('Y', "", 0);

  for (;;) {
    struct pollfd p[] = {
        {.fd = port, .events = POLLIN},
        {.fd = children, .events = POLLIN},
        {.fd = from_stdout, .events = POLLIN},
        {.fd = from_stderr, .events = POLLIN},
        {.fd = input_waits() ? to_stdin : -1, .events = POLLOUT},
    };
    if (poll(p, sizeof p / sizeof *p, -1) < 0 && errno != EINTR) die("poll");
    if (p[0].revents) receive_frames(handle_frame);
    if (p[2].revents) pass_output_on();
    if (p[3].revents) pass_errors_on();
    if (p[4].revents) feed_input();
    if (p[1].revents) {
      struct signalfd_siginfo info;
      while (read(children, &info, sizeof info) > 0) {
      }
      reap();
    }
  }
}
