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
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define CHUNK 65536
/* The host never has more input than this under way (lab/protocol.ts), so it always fits. */
#define INPUT_WINDOW 262144

static int port = -1;

/* What the running command is, and our ends of its three streams; -1 where there is none. */
static pid_t child = -1;
static int is_tty = 0;
static int to_stdin = -1, from_stdout = -1, from_stderr = -1;
static char input[INPUT_WINDOW];
static size_t input_length = 0;
static int input_ended = 0;

/* Frames as they arrive from the host. */
static char* inbox = NULL;
static size_t inbox_length = 0, inbox_room = 0;

static void power_off(void) {
  sync();
  reboot(RB_POWER_OFF);
  _exit(1);
}

static void die(const char* what) {
  fprintf(stderr, "lab agent: %s: %s\n", what, strerror(errno));
  power_off();
}

static void set_nonblocking(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static void close_end(int* fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
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

static void send_frame(char type, const void* data, uint32_t length) {
  static char frame[5 + CHUNK];
  frame[0] = type;
  memcpy(frame + 1, &length, 4);
  if (length > 0) memcpy(frame + 5, data, length);
  send_all(frame, 5 + length);
}

/* Takes the next NUL-terminated string of a run frame. */
static char* next_string(char** cursor, char* end) {
  char* start = *cursor;
  char* stop = start < end ? memchr(start, 0, (size_t)(end - start)) : NULL;
  if (stop == NULL) {
    errno = EPROTO;
    die("a run frame ends too early");
  }
  *cursor = stop + 1;
  return start;
}

static void set_window(int fd, int rows, int columns) {
  struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
  ioctl(fd, TIOCSWINSZ, &size);
}

static void become_command(char* cwd, char** argv, char** envp, int in, int out, int err) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  signal(SIGPIPE, SIG_DFL);
  setsid();
  if (is_tty) ioctl(in, TIOCSCTTY, 0);
  dup2(in, 0);
  dup2(out, 1);
  dup2(err, 2);
  if (chdir(cwd) != 0) {
    fprintf(stderr, "lab: cannot enter %s: %s\n", cwd, strerror(errno));
    _exit(125);
  }
  environ = envp;
  execvp(argv[0], argv);
  int cause = errno;
  fprintf(stderr, "lab: cannot run %s: %s\n", argv[0], strerror(cause));
  _exit(cause == ENOENT ? 127 : 126);
}

static void start_tty(int* in, int rows, int columns) {
  int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) die("open a terminal");
  *in = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (*in < 0) die("open a terminal");
  set_window(master, rows, columns);
  to_stdin = from_stdout = master;
}

static void start(char* data, size_t length) {
  char *cursor = data, *end = data + length;
  is_tty = strcmp(next_string(&cursor, end), "tty") == 0;
  int rows = atoi(next_string(&cursor, end)), columns = atoi(next_string(&cursor, end));
  char* cwd = next_string(&cursor, end);
  size_t argc = strtoul(next_string(&cursor, end), NULL, 10);

  /* One array for both: the arguments, NULL, the environment, NULL. There are fewer strings than bytes. */
  size_t count = 0;
  for (char* p = cursor; p < end; p++) count += *p == 0;
  char** strings = calloc(count + 3, sizeof(char*));
  if (strings == NULL || argc < 1 || argc > count) die("a run frame");
  size_t n = 0;
  for (size_t i = 0; i < argc; i++) strings[n++] = next_string(&cursor, end);
  char** envp = strings + ++n;
  while (cursor < end) strings[n++] = next_string(&cursor, end);

  int in[2] = {-1, -1}, out[2] = {-1, -1}, err[2] = {-1, -1};
  if (is_tty) {
    start_tty(&in[0], rows, columns);
    out[1] = err[1] = in[0];
  } else {
    if (pipe2(in, O_CLOEXEC) || pipe2(out, O_CLOEXEC) || pipe2(err, O_CLOEXEC)) die("pipe");
    to_stdin = in[1];
    from_stdout = out[0];
    from_stderr = err[0];
    set_nonblocking(from_stderr);
  }
  set_nonblocking(to_stdin);
  set_nonblocking(from_stdout);
  input_length = 0;
  input_ended = 0;

  child = fork();
  if (child < 0) die("fork");
  if (child == 0) become_command(cwd, strings, envp, in[0], out[1], err[1]);
  close(in[0]);
  if (!is_tty) {
    close(out[1]);
    close(err[1]);
  }
  free(strings);
}

/* Hands waiting input to the command and tells the host how much room there is again. */
static void feed_input(void) {
  uint32_t consumed = 0;
  while (input_length > 0) {
    ssize_t n = to_stdin < 0 ? (ssize_t)input_length : write(to_stdin, input, input_length);
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0) {
      /* The command closed its input: what follows goes nowhere, as it would into a broken pipe. */
      if (!is_tty) close_end(&to_stdin);
      n = (ssize_t)input_length;
    }
    memmove(input, input + n, input_length - (size_t)n);
    input_length -= (size_t)n;
    consumed += (uint32_t)n;
  }
  if (consumed > 0) send_frame('A', &consumed, 4);
  if (input_ended && input_length == 0) {
    if (is_tty && to_stdin >= 0) {
      if (write(to_stdin, "\x04", 1) == 1) input_ended = 0;
    } else {
      close_end(&to_stdin);
    }
  }
}

/* Passes on what the command wrote. Returns 0 at the end of the stream, 1 when nothing waits now, 2 after
 * some. */
static int pass_on(int fd, char type) {
  static char data[CHUNK];
  ssize_t n = read(fd, data, sizeof data);
  if (n > 0) send_frame(type, data, (uint32_t)n);
  if (n > 0) return 2;
  return n < 0 && (errno == EAGAIN || errno == EINTR) ? 1 : 0;
}

static void pass_on_or_close(int* fd, char type) {
  if (*fd >= 0 && pass_on(*fd, type) == 0) {
    if (is_tty) to_stdin = -1;
    close_end(fd);
  }
}

/*
 * The command itself has ended: whatever it left behind is killed, so that the pipes reach their end, and the
 * rest of the output goes out before the exit code does. Bounded, since a process stuck in the kernel cannot
 * be killed.
 */
static void finish(int status) {
  kill(-1, SIGKILL);
  for (int rounds = 0; (from_stdout >= 0 || from_stderr >= 0) && rounds < 20;) {
    struct pollfd p[2] = {{.fd = from_stdout, .events = POLLIN}, {.fd = from_stderr, .events = POLLIN}};
    if (poll(p, 2, 100) == 0) rounds++;
    pass_on_or_close(&from_stdout, 'O');
    pass_on_or_close(&from_stderr, 'F');
  }
  if (!is_tty) close_end(&to_stdin);
  to_stdin = -1;
  close_end(&from_stdout);
  close_end(&from_stderr);
  child = -1;
  while (waitpid(-1, NULL, WNOHANG) > 0) {
  }

  /* The host may end the machine as soon as it has the exit code, so what was written to its directory goes
   * first. */
  sync();
  char text[32];
  int n = WIFSIGNALED(status) ? snprintf(text, sizeof text, "signal %d", WTERMSIG(status))
                              : snprintf(text, sizeof text, "exit %d", WEXITSTATUS(status));
  send_frame('X', text, (uint32_t)n);
}

static void reap(void) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    if (pid == child) finish(status);
  }
}

static void handle_frame(char type, char* data, size_t length) {
  char text[64];
  int a = 0, b = 0;
  if (length < sizeof text) {
    memcpy(text, data, length);
    text[length] = 0;
  } else {
    text[0] = 0;
  }
  if (type == 'R') {
    if (child < 0) start(data, length);
  } else if (child < 0) {
    /* A late signal or input for a command that is gone. */
  } else if (type == 'I' && input_length + length <= INPUT_WINDOW) {
    memcpy(input + input_length, data, length);
    input_length += length;
    feed_input();
  } else if (type == 'E') {
    input_ended = 1;
    feed_input();
  } else if (type == 'W' && is_tty && sscanf(text, "%d %d", &a, &b) == 2) {
    set_window(from_stdout, a, b);
  } else if (type == 'K' && sscanf(text, "%d", &a) == 1) {
    kill(-child, a);
  }
}

static void receive(void) {
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
    handle_frame(inbox[used], inbox + used + 5, length);
    used += 5 + (size_t)length;
  }
  memmove(inbox, inbox + used, inbox_length - used);
  inbox_length -= used;
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  port = open(argv[1], O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (port < 0) die(argv[1]);
  struct rlimit files = {.rlim_cur = 1024, .rlim_max = 524288};
  setrlimit(RLIMIT_NOFILE, &files);
  signal(SIGPIPE, SIG_IGN);
  sigset_t watched;
  sigemptyset(&watched);
  sigaddset(&watched, SIGCHLD);
  sigprocmask(SIG_BLOCK, &watched, NULL);
  int signals = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals < 0) die("signalfd");
  send_frame('Y', "", 0);

  for (;;) {
    struct pollfd p[5] = {
        {.fd = port, .events = POLLIN},
        {.fd = signals, .events = POLLIN},
        {.fd = from_stdout, .events = POLLIN},
        {.fd = from_stderr, .events = POLLIN},
        {.fd = input_length > 0 || (is_tty && input_ended) ? to_stdin : -1, .events = POLLOUT},
    };
    if (poll(p, 5, -1) < 0 && errno != EINTR) die("poll");
    if (p[0].revents) receive();
    if (p[2].revents) pass_on_or_close(&from_stdout, 'O');
    if (p[3].revents) pass_on_or_close(&from_stderr, 'F');
    if (p[4].revents) feed_input();
    if (p[1].revents) {
      struct signalfd_siginfo info;
      while (read(signals, &info, sizeof info) > 0) {
      }
      reap();
    }
  }
}
