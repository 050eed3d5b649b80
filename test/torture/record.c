/*
 * Writes down every call by which a process changes files, with what was written, in the order in which they took effect:
 * one record a call at the end of the file TORTURE_RECORD, in the form that recording.ts reads.
 */
#include "calls.h"
#include <time.h>

struct record {
  uint32_t octets; /* of the whole record */
  uint32_t kind;
  uint32_t process, opening;
  uint64_t offset;
  uint32_t flags;
  uint32_t path_octets, other_octets, data_octets;
};

static int record = -1;

static void begin_calls(void) {
  const char *file = getenv("TORTURE_RECORD");
  if (file != NULL) record = (int)syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_APPEND | O_CLOEXEC);
  if (record >= 0) return;
  fprintf(stderr, "record: no file to write to\n");
  _exit(99);
}

/*
 * A sync takes a while, as on a disk: an answer that does not wait for it is with its client before the record says that
 * the sync has happened.
 */
static void before_call(const struct call *call) {
  if (call->kind != SYNC) return;
  const struct timespec pause = {0, 2000000};
  nanosleep(&pause, NULL);
}

#define MOST_PIECES 1024

static void after_call(const struct call *call, ssize_t result) {
  if (result < 0) return;
  struct record head = {.kind = (uint32_t)call->kind, .process = (uint32_t)getpid(), .opening = call->opening,
                        .offset = call->offset, .flags = (uint32_t)call->flags,
                        .path_octets = (uint32_t)strlen(call->path),
                        .other_octets = call->other == NULL ? 0 : (uint32_t)strlen(call->other),
                        .data_octets = call->kind == WRITE ? (uint32_t)result : 0};
  head.octets = (uint32_t)sizeof head + head.path_octets + head.other_octets + head.data_octets;
  struct iovec pieces[3 + MOST_PIECES] = {{&head, sizeof head},
                                          {(void *)call->path, head.path_octets},
                                          {(void *)call->other, head.other_octets}};
  int count = 3;
  size_t left = head.data_octets;
  for (int index = 0; index < call->count && left > 0; index += 1) {
    size_t length = call->pieces[index].iov_len < left ? call->pieces[index].iov_len : left;
    pieces[count++] = (struct iovec){call->pieces[index].iov_base, length};
    left -= length;
  }
  if (syscall(SYS_writev, record, pieces, count) == (long)head.octets) return;
  fprintf(stderr, "record: a record could not be written\n");
  _exit(99);
}
