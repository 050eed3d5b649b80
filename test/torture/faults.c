/*
 * A failing disk for one process: stands in front of the C library by LD_PRELOAD and lets chosen calls on files below
 * FAULTS_FOLDER fail, come up short, block, or lose what they were given. What is chosen stands in the file
 * FAULTS_CONTROL, which both sides map or write at any time; the same file counts which calls came by. Its layout and
 * the order of all names are those of faults.ts.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum call { OPEN, CREATE, READ, WRITE, WRITEV, PWRITE, PWRITEV, FSYNC, FDATASYNC, RENAME, LINK, UNLINK, TRUNCATE, CALLS };
enum place { DATABASE, WAL, SHM, LOCK, SEGMENT, SEGMENTS, BODY, BODIES, SPOOL, DATA, OTHER, PLACES };
enum action { NOTHING, FAIL, SHORT, BLOCK, LOSE };

#define RULES 8
#define MAGIC 0x4b4d4644

struct rule {
  atomic_int on;
  int calls;         /* bits */
  int places;        /* bits */
  int action;
  int value;         /* FAIL: errno. BLOCK: milliseconds; below 0: until the rule is off. */
  atomic_int skip;   /* so many calls are let through first */
  atomic_int count;  /* so many then meet it; below 0: all */
  atomic_int fired;
  atomic_int waiting;
  int spare[7];
};

struct control {
  int magic;
  int spare[15];
  struct rule rules[RULES];
  atomic_int seen[CALLS][PLACES];
};

/* What a descriptor was opened on: 0: nothing of ours; else its place + 1. */
struct slot {
  atomic_int place;
  _Atomic uint64_t file;
};

#define SLOTS 65536
static struct slot slots[SLOTS];
/* Files of which writes were lost that no sync has told of yet. */
#define LOST 64
static _Atomic uint64_t lost[LOST];

static struct control *control;
static const char *folder;
static size_t folder_length;

/* Before main, and before any other thread. A process that cannot be watched must not look as if nothing failed. */
__attribute__((constructor)) static void begin(void) {
  const char *file = getenv("FAULTS_CONTROL");
  const char *below = getenv("FAULTS_FOLDER");
  if (file == NULL || below == NULL) return;
  int (*real_open)(const char *, int, ...) = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open64");
  int descriptor = real_open(file, O_RDWR | O_CLOEXEC);
  void *mapped =
      descriptor < 0 ? MAP_FAILED : mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (mapped == MAP_FAILED || ((struct control *)mapped)->magic != MAGIC) {
    fprintf(stderr, "faults: no control file %s\n", file);
    _exit(99);
  }
  close(descriptor);
  folder_length = strlen(below);
  folder = below;
  control = mapped;
}

static int ends(const char *text, const char *end) {
  size_t length = strlen(text), wanted = strlen(end);
  return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

/* The place of a path, or -1 where it is not below the folder. */
static int place_of(const char *path) {
  if (control == NULL || path == NULL || strncmp(path, folder, folder_length) != 0) return -1;
  const char *rest = path + folder_length;
  if (*rest == '\0') return DATA;
  if (*rest != '/') return -1;
  if (ends(rest, "/mailkeep.db")) return DATABASE;
  if (ends(rest, "/mailkeep.db-wal")) return WAL;
  if (ends(rest, "/mailkeep.db-shm")) return SHM;
  if (strncmp(rest, "/lock.db", 8) == 0) return LOCK;
  if (strncmp(rest, "/bodies/segments", 16) == 0) return rest[16] == '\0' ? SEGMENTS : SEGMENT;
  if (strncmp(rest, "/bodies/spool/", 14) == 0) return SPOOL;
  /* A body's own file lies two levels down; what is above are folders. */
  if (strncmp(rest, "/bodies/files/", 14) == 0) return strchr(rest + 14, '/') == NULL ? BODIES : BODY;
  if (strncmp(rest, "/bodies", 7) == 0) return BODIES;
  return OTHER;
}

static uint64_t hash(const char *text) {
  uint64_t value = 14695981039346656037ULL;
  for (; *text != '\0'; text += 1) value = (value ^ (unsigned char)*text) * 1099511628211ULL;
  return value == 0 ? 1 : value;
}

static int place_at(int descriptor) {
  if (descriptor < 0 || descriptor >= SLOTS) return -1;
  return atomic_load_explicit(&slots[descriptor].place, memory_order_relaxed) - 1;
}

static void note(int descriptor, int place, const char *path) {
  if (descriptor < 0 || descriptor >= SLOTS) return;
  atomic_store(&slots[descriptor].file, place < 0 ? 0 : hash(path));
  atomic_store(&slots[descriptor].place, place + 1);
}

static void note_loss(int descriptor) {
  uint64_t file = atomic_load(&slots[descriptor].file);
  for (int index = 0; index < LOST; index += 1) {
    uint64_t there = 0;
    if (atomic_compare_exchange_strong(&lost[index], &there, file) || there == file) return;
  }
}

/* The kernel tells of lost writes once. */
static int tell_loss(int descriptor) {
  uint64_t file = atomic_load(&slots[descriptor].file);
  int told = 0;
  for (int index = 0; index < LOST; index += 1) {
    uint64_t there = file;
    if (atomic_compare_exchange_strong(&lost[index], &there, 0)) told = 1;
  }
  return told;
}

static void block(struct rule *rule) {
  const struct timespec pause = {0, 2000000};
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  int64_t until = now.tv_sec * 1000 + now.tv_nsec / 1000000 + rule->value;
  atomic_fetch_add(&rule->waiting, 1);
  while (atomic_load(&rule->on) != 0) {
    nanosleep(&pause, NULL);
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (rule->value >= 0 && now.tv_sec * 1000 + now.tv_nsec / 1000000 >= until) break;
  }
  atomic_fetch_sub(&rule->waiting, 1);
}

static int meets(struct rule *rule, enum call call, int place) {
  if (atomic_load(&rule->on) == 0) return 0;
  if ((rule->calls >> call & 1) == 0 || (rule->places >> place & 1) == 0) return 0;
  if (atomic_load(&rule->skip) > 0 && atomic_fetch_sub(&rule->skip, 1) > 0) return 0;
  if (atomic_load(&rule->count) < 0) return 1;
  if (atomic_load(&rule->count) == 0) return 0;
  return atomic_fetch_sub(&rule->count, 1) > 0;
}

/* Counts a call and gives what shall become of it; errno is set for FAIL. A BLOCK has been waited for. */
static enum action decide(enum call call, int place) {
  if (place < 0) return NOTHING;
  atomic_fetch_add(&control->seen[call][place], 1);
  for (int index = 0; index < RULES; index += 1) {
    struct rule *rule = &control->rules[index];
    if (!meets(rule, call, place)) continue;
    atomic_fetch_add(&rule->fired, 1);
    if (rule->action == BLOCK) {
      block(rule);
      continue;
    }
    if (rule->action == FAIL) errno = rule->value;
    return rule->action;
  }
  return NOTHING;
}

/* Each real function is looked up once; a race finds the same. */
#define REAL(type, name, ...)                                         \
  static type (*real)(__VA_ARGS__);                                   \
  if (real == NULL) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

static int opening(int at, const char *path, int flags, mode_t mode) {
  REAL(int, "openat64", int, const char *, int, ...);
  int place = place_of(path);
  if (decide((flags & O_CREAT) != 0 ? CREATE : OPEN, place) == FAIL) return -1;
  int descriptor = real(at, path, flags, mode);
  note(descriptor, place, path);
  return descriptor;
}

static mode_t mode_of(int flags, va_list rest) {
  return (flags & (O_CREAT | __O_TMPFILE)) != 0 ? va_arg(rest, mode_t) : 0;
}

#define OPENING(signature, at)                                \
  int signature {                                             \
    va_list rest;                                             \
    va_start(rest, flags);                                    \
    mode_t mode = mode_of(flags, rest);                       \
    va_end(rest);                                             \
    return opening(at, path, flags, mode);                    \
  }

OPENING(open(const char *path, int flags, ...), AT_FDCWD)
OPENING(open64(const char *path, int flags, ...), AT_FDCWD)
OPENING(openat(int at, const char *path, int flags, ...), at)
OPENING(openat64(int at, const char *path, int flags, ...), at)

int close(int descriptor) {
  REAL(int, "close", int);
  /* Before: another thread may be given the number at once. */
  note(descriptor, -1, NULL);
  return real(descriptor);
}

/* Of so many octets: how many are let through. At least one, for a disk that takes nothing says so by an error. */
static size_t share(enum action action, size_t octets) { return action == SHORT && octets > 1 ? octets / 2 : octets; }

ssize_t write(int descriptor, const void *octets, size_t count) {
  REAL(ssize_t, "write", int, const void *, size_t);
  enum action action = decide(WRITE, place_at(descriptor));
  if (action == FAIL) return -1;
  if (action != LOSE) return real(descriptor, octets, share(action, count));
  note_loss(descriptor);
  return count;
}

ssize_t pwrite64(int descriptor, const void *octets, size_t count, off64_t at) {
  REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t);
  enum action action = decide(PWRITE, place_at(descriptor));
  if (action == FAIL) return -1;
  if (action != LOSE) return real(descriptor, octets, share(action, count), at);
  note_loss(descriptor);
  return count;
}

ssize_t pwrite(int descriptor, const void *octets, size_t count, off_t at) {
  return pwrite64(descriptor, octets, count, at);
}

static size_t total(const struct iovec *pieces, int count) {
  size_t octets = 0;
  for (int index = 0; index < count; index += 1) octets += pieces[index].iov_len;
  return octets;
}

/* Writes from several pieces; `at` below 0: where the file stands. */
static ssize_t gathering(enum call call, int descriptor, const struct iovec *pieces, int count, off64_t at) {
  REAL(ssize_t, "pwritev64", int, const struct iovec *, int, off64_t);
  static ssize_t (*real_writev)(int, const struct iovec *, int);
  if (real_writev == NULL) real_writev = (ssize_t(*)(int, const struct iovec *, int))dlsym(RTLD_NEXT, "writev");
  int place = place_at(descriptor);
  enum action action = decide(call, place);
  if (action == FAIL) return -1;
  if (action == LOSE) {
    note_loss(descriptor);
    return total(pieces, count);
  }
  struct iovec fewer[1024];
  if (action == SHORT && count <= 1024) {
    size_t room = share(action, total(pieces, count));
    int used = 0;
    for (; used < count && room > 0; used += 1) {
      fewer[used] = pieces[used];
      if (fewer[used].iov_len > room) fewer[used].iov_len = room;
      room -= fewer[used].iov_len;
    }
    pieces = fewer;
    count = used;
  }
  return at < 0 ? real_writev(descriptor, pieces, count) : real(descriptor, pieces, count, at);
}

ssize_t writev(int descriptor, const struct iovec *pieces, int count) {
  return gathering(WRITEV, descriptor, pieces, count, -1);
}

ssize_t pwritev(int descriptor, const struct iovec *pieces, int count, off_t at) {
  return gathering(PWRITEV, descriptor, pieces, count, at);
}

ssize_t pwritev64(int descriptor, const struct iovec *pieces, int count, off64_t at) {
  return gathering(PWRITEV, descriptor, pieces, count, at);
}

ssize_t pread64(int descriptor, void *octets, size_t count, off64_t at) {
  REAL(ssize_t, "pread64", int, void *, size_t, off64_t);
  enum action action = decide(READ, place_at(descriptor));
  return action == FAIL ? -1 : real(descriptor, octets, share(action, count), at);
}

ssize_t pread(int descriptor, void *octets, size_t count, off_t at) {
  return pread64(descriptor, octets, count, at);
}

/* A failed sync leaves the file as the kernel may show it; what LOSE took is told of here, once, by EIO. */
static int syncing(enum call call, int (*real)(int), int descriptor) {
  int place = place_at(descriptor);
  if (decide(call, place) == FAIL) return -1;
  if (place >= 0 && tell_loss(descriptor)) {
    errno = EIO;
    return -1;
  }
  return real(descriptor);
}

int fsync(int descriptor) {
  REAL(int, "fsync", int);
  return syncing(FSYNC, real, descriptor);
}

int fdatasync(int descriptor) {
  REAL(int, "fdatasync", int);
  return syncing(FDATASYNC, real, descriptor);
}

int ftruncate64(int descriptor, off64_t octets) {
  REAL(int, "ftruncate64", int, off64_t);
  return decide(TRUNCATE, place_at(descriptor)) == FAIL ? -1 : real(descriptor, octets);
}

int ftruncate(int descriptor, off_t octets) { return ftruncate64(descriptor, octets); }

/* A file that moves is taken for what it becomes. */
int rename(const char *from, const char *to) {
  REAL(int, "rename", const char *, const char *);
  return decide(RENAME, place_of(to)) == FAIL ? -1 : real(from, to);
}

int renameat(int from_at, const char *from, int to_at, const char *to) {
  REAL(int, "renameat", int, const char *, int, const char *);
  return decide(RENAME, place_of(to)) == FAIL ? -1 : real(from_at, from, to_at, to);
}

int link(const char *from, const char *to) {
  REAL(int, "link", const char *, const char *);
  return decide(LINK, place_of(to)) == FAIL ? -1 : real(from, to);
}

int linkat(int from_at, const char *from, int to_at, const char *to, int flags) {
  REAL(int, "linkat", int, const char *, int, const char *, int);
  return decide(LINK, place_of(to)) == FAIL ? -1 : real(from_at, from, to_at, to, flags);
}

int unlink(const char *path) {
  REAL(int, "unlink", const char *);
  return decide(UNLINK, place_of(path)) == FAIL ? -1 : real(path);
}

int unlinkat(int at, const char *path, int flags) {
  REAL(int, "unlinkat", int, const char *, int);
  return decide(UNLINK, place_of(path)) == FAIL ? -1 : real(at, path, flags);
}

/* What C++ calls. */
int remove(const char *path) {
  REAL(int, "remove", const char *);
  return decide(UNLINK, place_of(path)) == FAIL ? -1 : real(path);
}
