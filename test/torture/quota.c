/*
 * A full disk that speaks of a quota: stands in front of the C library by LD_PRELOAD, and where the disk says ENOSPC the
 * process hears EDQUOT, of which SQLite says only that a write failed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define HEARD(result)                                \
  do {                                               \
    if ((result) < 0 && errno == ENOSPC) errno = EDQUOT; \
    return (result);                                 \
  } while (0)

#define FORWARD(type, name, parameters, given)              \
  type name parameters {                                    \
    static type (*next) parameters;                         \
    if (!next) next = (type(*) parameters)dlsym(RTLD_NEXT, #name); \
    type result = next given;                               \
    HEARD(result);                                          \
  }

FORWARD(ssize_t, write, (int fd, const void *from, size_t n), (fd, from, n))
FORWARD(ssize_t, writev, (int fd, const struct iovec *from, int n), (fd, from, n))
FORWARD(ssize_t, pwrite, (int fd, const void *from, size_t n, off_t at), (fd, from, n, at))
FORWARD(ssize_t, pwrite64, (int fd, const void *from, size_t n, off64_t at), (fd, from, n, at))
FORWARD(ssize_t, pwritev, (int fd, const struct iovec *from, int n, off_t at), (fd, from, n, at))
FORWARD(ssize_t, pwritev64, (int fd, const struct iovec *from, int n, off64_t at), (fd, from, n, at))
FORWARD(int, mkdir, (const char *path, mode_t mode), (path, mode))
FORWARD(int, rename, (const char *from, const char *to), (from, to))
FORWARD(int, ftruncate64, (int fd, off64_t octets), (fd, octets))

#define OPENS(name)                                                        \
  int name(const char *path, int flags, ...) {                             \
    static int (*next)(const char *, int, ...);                            \
    if (!next) next = (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, #name); \
    va_list more;                                                          \
    va_start(more, flags);                                                 \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(more, mode_t) : 0; \
    va_end(more);                                                          \
    int result = next(path, flags, mode);                                  \
    HEARD(result);                                                         \
  }

OPENS(open)
OPENS(open64)
