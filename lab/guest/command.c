#define _GNU_SOURCE
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "frames.h"

/* The host never has more input than this under way (lab/protocol.ts), so it always fits. */
#define INPUT_WINDOW 262144

int to_stdin = -1, from_stdout = -1, from_stderr = -1;

static pid_t child = -1;
static int is_tty = 0;
static char input[INPUT_WINDOW];
static size_t input_length = 0;
static int input_ended = 0;

int command_runs(void) {
  return child >= 0;
}

static void set_nonblocking(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static void close_end(int* fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
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

void set_window(int rows, int columns) {
  if (!is_tty) return;
  struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
  ioctl(from_stdout, TIOCSWINSZ, &size);
}

void signal_command(int number) {
  kill(-child, number);
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
  to_stdin = from_stdout = master;
  set_window(rows, columns);
}

void start_command(char* data, size_t length) {
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
void feed_input(void) {
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

int input_waits(void) {
  return input_length > 0 || (is_tty && input_ended);
}

void take_input(const char* data, size_t length) {
  if (input_length + length > INPUT_WINDOW) die("more input than was agreed");
  memcpy(input + input_length, data, length);
  input_length += length;
  feed_input();
}

void end_input(void) {
  input_ended = 1;
  feed_input();
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

void pass_output_on(void) {
  pass_on_or_close(&from_stdout, 'O');
}

void pass_errors_on(void) {
  pass_on_or_close(&from_stderr, 'F');
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
    pass_output_on();
    pass_errors_on();
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

void reap(void) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    if (pid == child) finish(status);
  }
}
