/*
 * Kills its own process at a chosen call, before it takes effect, after it, or when half of what it writes is in the file.
 * What is chosen stands in the file TORTURE_CONTROL, which both sides map or write at any time; layout: killer.ts.
 */
#include "calls.h"
#include <signal.h>
#include <sys/mman.h>

enum place { DATABASE, WAL, SEGMENT, SEGMENTS, BODY, FILES, SPOOL, OTHER };
enum when { BEFORE, HALF, AFTER };

struct control {
  /* How many such calls are let through first; below 0: nothing is chosen. */
  atomic_int left;
  int kinds, places; /* bits */
  int when;
  /* Written by the one who dies. */
  int died, kind, place;
};

static struct control *control;

static void begin_calls(void) {
  const char *file = getenv("TORTURE_CONTROL");
  int descriptor = file == NULL ? -1 : (int)syscall(SYS_openat, AT_FDCWD, file, O_RDWR | O_CLOEXEC);
  void *mapped = descriptor < 0
      ? MAP_FAILED
      : mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (mapped == MAP_FAILED) {
    fprintf(stderr, "killer: no control file\n");
    _exit(99);
  }
  syscall(SYS_close, descriptor);
  control = mapped;
}

static enum place place_at_path(const char *path) {
  const char *rest = path + folder_length;
  if (strcmp(rest, "/mailkeep.db") == 0) return DATABASE;
  if (strcmp(rest, "/mailkeep.db-wal") == 0) return WAL;
  if (strcmp(rest, "/bodies/segments") == 0) return SEGMENTS;
  if (strncmp(rest, "/bodies/segments/", 17) == 0) return SEGMENT;
  if (strncmp(rest, "/bodies/spool/", 14) == 0) return SPOOL;
  /* A body's own file lies two levels down; what is above are folders. */
  if (strncmp(rest, "/bodies/files", 13) == 0) return rest[13] == '/' && strchr(rest + 14, '/') != NULL ? BODY : FILES;
  return OTHER;
}

static enum place place_of_call(const struct call *call) {
  return place_at_path(call->other == NULL ? call->path : call->other);
}

/* One chosen call only: it is gone from `left` at once, and threads come here one by one. */
static int chosen;

static void die(const struct call *call) {
  control->kind = (int)call->kind;
  control->place = (int)place_of_call(call);
  control->died = 1;
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

/* The first half of the octets, as the kernel takes them from a write that is cut. */
static void write_half(const struct call *call) {
  size_t octets = 0;
  for (int index = 0; index < call->count; index += 1) octets += call->pieces[index].iov_len;
  octets /= 2;
  uint64_t at = call->offset;
  for (int index = 0; index < call->count && octets > 0; index += 1) {
    size_t length = call->pieces[index].iov_len < octets ? call->pieces[index].iov_len : octets;
    syscall(SYS_pwrite64, call->descriptor, call->pieces[index].iov_base, length, at);
    at += length;
    octets -= length;
  }
}

static void before_call(const struct call *call) {
  chosen = 0;
  if (atomic_load(&control->left) < 0) return;
  if ((control->kinds >> call->kind & 1) == 0 || (control->places >> place_of_call(call) & 1) == 0) return;
  if (atomic_fetch_sub(&control->left, 1) != 0) return;
  chosen = 1;
  if (control->when == HALF && call->kind == WRITE) write_half(call);
  if (control->when != AFTER) die(call);
}

static void after_call(const struct call *call, ssize_t result) {
  (void)result;
  if (chosen) die(call);
}
