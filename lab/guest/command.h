/* The running command and its streams. There is one at a time. */
#ifndef LAB_COMMAND_H
#define LAB_COMMAND_H

#include <stddef.h>

/* Our ends of the command's streams; -1 where there is none (any more). For a terminal the first two are the
 * same. */
extern int to_stdin, from_stdout, from_stderr;

int command_runs(void);

/* Starts what a run frame asks for. */
void start_command(char* data, size_t length);

/* Collects ended processes, orphans too. When the command is among them, sends the rest of its output and its
 * end. */
void reap(void);

/* Takes input for the command, or its end. */
void take_input(const char* data, size_t length);
void end_input(void);

/* Hands on what waits in either direction, as far as it goes at once. */
int input_waits(void);
void feed_input(void);
void pass_output_on(void);
void pass_errors_on(void);

void set_window(int rows, int columns);
void signal_command(int number);

#endif
