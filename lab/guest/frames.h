/* The port to the host, and the frames that go over it; lab/protocol.ts is the other end. */
#ifndef LAB_FRAMES_H
#define LAB_FRAMES_H

#include <stddef.h>
#include <stdint.h>

/* The most that one frame to the host carries. */
#define CHUNK 65536

/* The descriptor to wait on for frames from the host. */
extern int port;

void open_port(const char* path);

/* Returns when the host has taken it. */
void send_frame(char type, const void* data, uint32_t length);

/* Takes what has arrived, and calls the handler for each frame that is complete. */
void receive_frames(void (*handle)(char type, char* data, size_t length));

/* Ends the machine, with a word to the console. */
void die(const char* what) __attribute__((noreturn));

#endif
