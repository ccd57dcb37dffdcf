/*
 * What an addon does that is written the obvious way: a poll handle of its own for each eventfd, which reads
 * it and calls JavaScript.
 *
 *     watch(fd, callback)    callback(count) whenever it was signalled
 */
#include <node_api.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>
#include <uv.h>

struct watch {
  uv_poll_t poll;
  int fd;
  napi_env env;
  napi_ref callback;
  napi_async_context context;
};

static void on_readable(uv_poll_t* poll, int status, int events) {
  struct watch* watch = (struct watch*)poll;
  uint64_t count;
  if (status < 0 || !(events & UV_READABLE) || read(watch->fd, &count, sizeof count) != sizeof count) return;
  napi_handle_scope scope;
  napi_value callback, receiver, argument;
  napi_open_handle_scope(watch->env, &scope);
  napi_get_reference_value(watch->env, watch->callback, &callback);
  napi_get_global(watch->env, &receiver);
  napi_create_double(watch->env, (double)count, &argument);
  napi_make_callback(watch->env, watch->context, receiver, callback, 1, &argument, NULL);
  napi_close_handle_scope(watch->env, scope);
}

/* Handles stay until the process ends: this is a benchmark. */
static napi_value watch_fd(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2], name;
  struct watch* watch = calloc(1, sizeof *watch);
  uv_loop_t* loop;
  napi_get_cb_info(env, info, &count, arguments, NULL, NULL);
  napi_get_value_int32(env, arguments[0], &watch->fd);
  watch->env = env;
  napi_create_reference(env, arguments[1], 1, &watch->callback);
  napi_create_string_utf8(env, "watch", NAPI_AUTO_LENGTH, &name);
  napi_async_init(env, NULL, name, &watch->context);
  napi_get_uv_event_loop(env, &loop);
  if (uv_poll_init(loop, &watch->poll, watch->fd) || uv_poll_start(&watch->poll, UV_READABLE, on_readable))
    napi_throw_error(env, NULL, "the eventfd cannot be polled");
  uv_unref((uv_handle_t*)&watch->poll);
  return NULL;
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "watch", NAPI_AUTO_LENGTH, watch_fd, NULL, &function);
  napi_set_named_property(env, exports, "watch", function);
  return exports;
}
