// SPDX-License-Identifier: Apache-2.0
#include "heart.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "holder.h"

struct rmx__heart {
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t end;
  bool ended, stops;
  int fd;
  const char *path, *text;
};

// The claim names another holder: it was taken over. A file that cannot be read says nothing.
static bool lost(const struct rmx__heart *h) {
  char text[RMX__HOLDER_SIZE] = "";
  const int fd = open(h->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return false;
  rmx__holder_read(fd, text);
  close(fd);
  return text[0] && strcmp(text, h->text) != 0;
}

static void *beat(void *context) {
  struct rmx__heart *h = context;
  struct timespec next;
  pthread_mutex_lock(&h->mutex);
  while (!h->ended) {
    futimens(h->fd, NULL);
    if (h->stops && lost(h)) rmx_interrupt();
    clock_gettime(CLOCK_MONOTONIC, &next);
    next.tv_sec += RMX__BEAT_S;
    while (!h->ended && pthread_cond_timedwait(&h->end, &h->mutex, &next) == 0) {
    }
  }
  pthread_mutex_unlock(&h->mutex);
  return NULL;
}

rmx_status rmx__heart_start(int fd, const char *path, const char *text, bool stops,
                            struct rmx__heart **out, rmx_err *err) {
  struct rmx__heart *h = rmx_calloc(1, sizeof *h);
  if (!h) return rmx_fail_memory(err, sizeof *h, "a heartbeat");
  h->fd = fd, h->path = path, h->text = text, h->stops = stops;
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_cond_init(&h->end, &monotonic);
  pthread_condattr_destroy(&monotonic);
  pthread_mutex_init(&h->mutex, NULL);
  // signals are for the thread that waits for them
  sigset_t all, had;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &had);
  const int code = pthread_create(&h->thread, NULL, beat, h);
  pthread_sigmask(SIG_SETMASK, &had, NULL);
  if (code == 0) {
    *out = h;
    return RMX_OK;
  }
  free(h);
  errno = code;
  return rmx_fail_errno(err, "cannot start a thread");
}

void rmx__heart_stop(struct rmx__heart *h) {
  if (!h) return;
  pthread_mutex_lock(&h->mutex);
  h->ended = true;
  pthread_cond_signal(&h->end);
  pthread_mutex_unlock(&h->mutex);
  pthread_join(h->thread, NULL);
  pthread_cond_destroy(&h->end);
  pthread_mutex_destroy(&h->mutex);
  free(h);
}
