/* Lets I/O calls on the files of a database fail. It is loaded into the program by LD_PRELOAD, and
 * told by a file that it shares with the test which calls fail, while the program runs. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What the names of the files have in common. */
#define WATCHED "cloudmanager.db"

enum { READ = 1, WRITE = 2, NAME = 4 };

/* All numbers are counted from one; calls fail from `first` up to `last`. */
struct control {
    _Atomic int64_t calls, first, last, error, failed, kinds;
};

static struct control *control;
static _Atomic char watched[65536];

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("IO_FAULTS");
    int fd = path ? open(path, O_RDWR) : -1;
    if (fd < 0) abort();
    control = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (control == MAP_FAILED) abort();
    close(fd);
}

static int fails(int kind) {
    if (!control || !(control->kinds & kind)) return 0;
    int64_t call = atomic_fetch_add(&control->calls, 1) + 1;
    if (call < control->first || call > control->last) return 0;
    atomic_fetch_add(&control->failed, 1);
    errno = (int)control->error;
    return 1;
}

static int is_watched(int fd) {
    return fd >= 0 && fd < (int)sizeof watched && watched[fd];
}

static int is_watched_name(const char *path) {
    return path && strstr(path, WATCHED);
}

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define OPEN(name, parameters, arguments)                                     \
    int name parameters {                                                     \
        static __typeof__(&name) next;                                        \
        if (!next) next = NEXT(name);                                         \
        va_list rest;                                                         \
        va_start(rest, flags);                                                \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
        va_end(rest);                                                         \
        if (is_watched_name(path) && fails(NAME)) return -1;                  \
        int fd = next arguments;                                              \
        if (fd >= 0 && fd < (int)sizeof watched) watched[fd] = !!is_watched_name(path); \
        return fd;                                                            \
    }

OPEN(open, (const char *path, int flags, ...), (path, flags, mode))
OPEN(open64, (const char *path, int flags, ...), (path, flags, mode))
OPEN(openat, (int at, const char *path, int flags, ...), (at, path, flags, mode))
OPEN(openat64, (int at, const char *path, int flags, ...), (at, path, flags, mode))

#define ON_FILE(type, name, kind, parameters, arguments)                      \
    type name parameters {                                                    \
        static __typeof__(&name) next;                                        \
        if (!next) next = NEXT(name);                                         \
        if (is_watched(fd) && fails(kind)) return -1;                         \
        return next arguments;                                                \
    }

ON_FILE(ssize_t, read, READ, (int fd, void *to, size_t n), (fd, to, n))
ON_FILE(ssize_t, pread, READ, (int fd, void *to, size_t n, off_t at), (fd, to, n, at))
ON_FILE(ssize_t, pread64, READ, (int fd, void *to, size_t n, off64_t at), (fd, to, n, at))
ON_FILE(ssize_t, write, WRITE, (int fd, const void *from, size_t n), (fd, from, n))
ON_FILE(ssize_t, pwrite, WRITE, (int fd, const void *from, size_t n, off_t at), (fd, from, n, at))
ON_FILE(ssize_t, pwrite64, WRITE, (int fd, const void *from, size_t n, off64_t at), (fd, from, n, at))
ON_FILE(int, ftruncate, WRITE, (int fd, off_t length), (fd, length))
ON_FILE(int, ftruncate64, WRITE, (int fd, off64_t length), (fd, length))
ON_FILE(int, fsync, WRITE, (int fd), (fd))
ON_FILE(int, fdatasync, WRITE, (int fd), (fd))

int unlink(const char *path) {
    static __typeof__(&unlink) next;
    if (!next) next = NEXT(unlink);
    if (is_watched_name(path) && fails(NAME)) return -1;
    return next(path);
}

int close(int fd) {
    static __typeof__(&close) next;
    if (!next) next = NEXT(close);
    if (fd >= 0 && fd < (int)sizeof watched) watched[fd] = 0;
    return next(fd);
}
