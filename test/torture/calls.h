/*
 * Stands in front of the calls of the C library by which a process changes files below TORTURE_FOLDER (LD_PRELOAD), its
 * threads one after the other. Who includes it says what happens before and after each: before_call, after_call.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

/* The order is that of calls.ts. */
enum kind { OPEN, CREATE, WRITE, SYNC, RENAME, LINK, UNLINK, RMDIR, TRUNCATE, MKDIR, UNKNOWN, KINDS };

struct call {
  enum kind kind;
  /* Of the file, and of the one that it becomes. */
  const char *path, *other;
  int descriptor, flags;
  /* Names one opening of a file, in this process. */
  uint32_t opening;
  uint64_t offset;
  const struct iovec *pieces;
  int count;
};

static void begin_calls(void);
static void before_call(const struct call *call);
static void after_call(const struct call *call, ssize_t result);

#define SLOTS 65536
static struct {
  _Atomic(char *) path;
  uint32_t opening;
} slots[SLOTS];

static const char *folder;
static size_t folder_length;
static uint32_t openings;
static pthread_mutex_t one_by_one = PTHREAD_MUTEX_INITIALIZER;

__attribute__((constructor)) static void begin(void) {
  folder = getenv("TORTURE_FOLDER");
  if (folder == NULL) return;
  folder_length = strlen(folder);
  begin_calls();
}


/* Each real function is looked up once; a race finds the same. */
#define LOOK_UP(type, symbol, ...)                                          \
  static _Atomic(void *) looked_up;                                         \
  if (atomic_load(&looked_up) == NULL) atomic_store(&looked_up, dlsym(RTLD_NEXT, symbol)); \
  type (*real)(__VA_ARGS__) = (type(*)(__VA_ARGS__))atomic_load(&looked_up)

/* SQLite's shared memory is no part of what is stored: it is made anew from the log. */
static int is_ours(const char *path) {
  if (folder == NULL || path == NULL || strncmp(path, folder, folder_length) != 0) return 0;
  if (path[folder_length] != '\0' && path[folder_length] != '/') return 0;
  size_t length = strlen(path);
  return length < 4 || strcmp(path + length - 4, "-shm") != 0;
}

static const char *path_at(int descriptor) {
  if (folder == NULL || descriptor < 0 || descriptor >= SLOTS) return NULL;
  return atomic_load_explicit(&slots[descriptor].path, memory_order_relaxed);
}

static void enter(const struct call *call) {
  pthread_mutex_lock(&one_by_one);
  before_call(call);
}

static ssize_t leave(const struct call *call, ssize_t result) {
  int kept = errno;
  after_call(call, result);
  pthread_mutex_unlock(&one_by_one);
  errno = kept;
  return result;
}

static int opened(int at, const char *path, int flags, mode_t mode) {
  LOOK_UP(int, "openat64", int, const char *, int, ...);
  if (!is_ours(path)) return real(at, path, flags, mode);
  struct stat found;
  int makes = (flags & O_CREAT) != 0 && lstat(path, &found) != 0;
  struct call call = {.kind = makes ? CREATE : OPEN, .path = path, .flags = flags, .descriptor = -1};
  enter(&call);
  int descriptor = real(at, path, flags, mode);
  if (descriptor >= 0 && descriptor < SLOTS) {
    call.descriptor = descriptor;
    call.opening = slots[descriptor].opening = ++openings;
    atomic_store(&slots[descriptor].path, strdup(path));
  }
  return leave(&call, descriptor);
}

static mode_t mode_of(int flags, va_list rest) {
  return (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
}

#define WITH_MODE(call)         \
  va_list rest;                 \
  va_start(rest, flags);        \
  mode_t mode = mode_of(flags, rest); \
  va_end(rest);                 \
  return call

int open(const char *path, int flags, ...) { WITH_MODE(opened(AT_FDCWD, path, flags, mode)); }
int open64(const char *path, int flags, ...) { WITH_MODE(opened(AT_FDCWD, path, flags, mode)); }
int openat(int at, const char *path, int flags, ...) { WITH_MODE(opened(at, path, flags, mode)); }
int openat64(int at, const char *path, int flags, ...) { WITH_MODE(opened(at, path, flags, mode)); }

/* Before it happens: the number may be another file's at once. */
static void forget(int descriptor) {
  if (path_at(descriptor) == NULL) return;
  pthread_mutex_lock(&one_by_one);
  free(atomic_exchange(&slots[descriptor].path, NULL));
  pthread_mutex_unlock(&one_by_one);
}

int close(int descriptor) {
  LOOK_UP(int, "close", int);
  forget(descriptor);
  return real(descriptor);
}

/* libuv closes files this way. */
long syscall(long number, ...) {
  LOOK_UP(long, "syscall", long, ...);
  long values[6];
  va_list rest;
  va_start(rest, number);
  for (int index = 0; index < 6; index += 1) values[index] = va_arg(rest, long);
  va_end(rest);
  if (number == SYS_close) forget((int)values[0]);
  return real(number, values[0], values[1], values[2], values[3], values[4], values[5]);
}

static uint64_t place_of(int descriptor) {
  struct stat found;
  int flags = fcntl(descriptor, F_GETFL);
  if (flags >= 0 && (flags & O_APPEND) != 0) return fstat(descriptor, &found) == 0 ? (uint64_t)found.st_size : 0;
  off_t at = lseek(descriptor, 0, SEEK_CUR);
  return at < 0 ? 0 : (uint64_t)at;
}

/* `offset` < 0: where the descriptor stands. */
#define WRITES(descriptor_, pieces_, count_, offset_, real_)                            \
  const char *path = path_at(descriptor_);                                              \
  if (path == NULL) return real_;                                                       \
  int64_t given = (offset_);                                                            \
  struct call call = {                                                                  \
      .kind = WRITE, .path = path, .descriptor = descriptor_, .pieces = pieces_, .count = count_, \
      .opening = slots[descriptor_].opening,                                            \
      .offset = given < 0 ? place_of(descriptor_) : (uint64_t)given};                   \
  enter(&call);                                                                         \
  return leave(&call, real_)

ssize_t write(int descriptor, const void *octets, size_t length) {
  LOOK_UP(ssize_t, "write", int, const void *, size_t);
  const struct iovec piece = {(void *)octets, length};
  WRITES(descriptor, &piece, 1, -1, real(descriptor, octets, length));
}

ssize_t writev(int descriptor, const struct iovec *pieces, int count) {
  LOOK_UP(ssize_t, "writev", int, const struct iovec *, int);
  WRITES(descriptor, pieces, count, -1, real(descriptor, pieces, count));
}

ssize_t pwrite(int descriptor, const void *octets, size_t length, off_t offset) {
  LOOK_UP(ssize_t, "pwrite64", int, const void *, size_t, off_t);
  const struct iovec piece = {(void *)octets, length};
  WRITES(descriptor, &piece, 1, offset, real(descriptor, octets, length, offset));
}
ssize_t pwrite64(int descriptor, const void *octets, size_t length, off_t offset) __attribute__((alias("pwrite")));

ssize_t pwritev(int descriptor, const struct iovec *pieces, int count, off_t offset) {
  LOOK_UP(ssize_t, "pwritev64", int, const struct iovec *, int, off_t);
  WRITES(descriptor, pieces, count, offset, real(descriptor, pieces, count, offset));
}
ssize_t pwritev64(int descriptor, const struct iovec *pieces, int count, off_t offset) __attribute__((alias("pwritev")));

static struct call at_descriptor(enum kind kind, int descriptor, uint64_t offset) {
  return (struct call){.kind = kind, .path = path_at(descriptor), .descriptor = descriptor,
                       .opening = slots[descriptor].opening, .offset = offset};
}

#define ON_DESCRIPTOR(kind, offset, real_)                          \
  if (path_at(descriptor) == NULL) return real_;                    \
  struct call call = at_descriptor(kind, descriptor, offset);       \
  enter(&call);                                                     \
  return (int)leave(&call, real_)

int fsync(int descriptor) {
  LOOK_UP(int, "fsync", int);
  ON_DESCRIPTOR(SYNC, 0, real(descriptor));
}

int fdatasync(int descriptor) {
  LOOK_UP(int, "fdatasync", int);
  ON_DESCRIPTOR(SYNC, 0, real(descriptor));
}

int ftruncate(int descriptor, off_t octets) {
  LOOK_UP(int, "ftruncate64", int, off_t);
  ON_DESCRIPTOR(TRUNCATE, (uint64_t)octets, real(descriptor, octets));
}
int ftruncate64(int descriptor, off_t octets) __attribute__((alias("ftruncate")));

#define ON_PATH(kind_, path_, other_, real_)                                   \
  if (!is_ours(path_) && !is_ours(other_)) return real_;                       \
  struct call call = {.kind = kind_, .path = path_, .other = other_, .descriptor = -1}; \
  enter(&call);                                                                \
  return (int)leave(&call, real_)

int rename(const char *from, const char *to) {
  LOOK_UP(int, "rename", const char *, const char *);
  ON_PATH(RENAME, from, to, real(from, to));
}

int link(const char *from, const char *to) {
  LOOK_UP(int, "link", const char *, const char *);
  ON_PATH(LINK, from, to, real(from, to));
}

int unlink(const char *path) {
  LOOK_UP(int, "unlink", const char *);
  ON_PATH(UNLINK, path, NULL, real(path));
}

int unlinkat(int at, const char *path, int flags) {
  LOOK_UP(int, "unlinkat", int, const char *, int);
  ON_PATH((flags & AT_REMOVEDIR) != 0 ? RMDIR : UNLINK, path, NULL, real(at, path, flags));
}

int remove(const char *path) {
  LOOK_UP(int, "remove", const char *);
  struct stat found;
  int is_folder = is_ours(path) && lstat(path, &found) == 0 && S_ISDIR(found.st_mode);
  ON_PATH(is_folder ? RMDIR : UNLINK, path, NULL, real(path));
}

int rmdir(const char *path) {
  LOOK_UP(int, "rmdir", const char *);
  ON_PATH(RMDIR, path, NULL, real(path));
}

int mkdir(const char *path, mode_t mode) {
  LOOK_UP(int, "mkdir", const char *, mode_t);
  ON_PATH(MKDIR, path, NULL, real(path, mode));
}

/* What nobody here knows how to treat must not go by unseen. */
int truncate(const char *path, off_t octets) {
  LOOK_UP(int, "truncate", const char *, off_t);
  ON_PATH(UNKNOWN, path, NULL, real(path, octets));
}

int symlink(const char *to, const char *path) {
  LOOK_UP(int, "symlink", const char *, const char *);
  ON_PATH(UNKNOWN, path, NULL, real(to, path));
}

ssize_t sendfile(int out, int in, off_t *offset, size_t count) {
  LOOK_UP(ssize_t, "sendfile64", int, int, off_t *, size_t);
  if (path_at(out) == NULL) return real(out, in, offset, count);
  struct call call = at_descriptor(UNKNOWN, out, 0);
  enter(&call);
  return leave(&call, real(out, in, offset, count));
}
ssize_t sendfile64(int out, int in, off_t *offset, size_t count) __attribute__((alias("sendfile")));
