/* A library for LD_PRELOAD: the NERTOOL_FAULT_AT-th call that writes below the folder NERTOOL_FAULT_DIR fails
   with the error number NERTOOL_FAULT_ERRNO, and with NERTOOL_FAULT_ALL all that follow, as on a full disk.
   With NERTOOL_FAULT_COUNT the number of such calls is left in that file.  See write_faults.py. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static long calls;

static long setting(const char *name) { const char *v = getenv(name); return v ? atol(v) : 0; }

static int below(const char *path) {
    const char *dir = getenv("NERTOOL_FAULT_DIR");
    return dir && path && strncmp(path, dir, strlen(dir)) == 0;
}

static int below_descriptor(int fd) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return 0;
    path[n] = 0;
    return below(path);
}

static int fails(void) {
    long at = setting("NERTOOL_FAULT_AT");
    calls++;
    const char *count = getenv("NERTOOL_FAULT_COUNT");
    if (count) {
        int saved = errno;
        FILE *file = fopen(count, "w");
        if (file) { fprintf(file, "%ld", calls); fclose(file); }
        errno = saved;
    }
    if (at && (calls == at || (calls > at && setting("NERTOOL_FAULT_ALL")))) {
        errno = (int)setting("NERTOOL_FAULT_ERRNO");
        return 1;
    }
    return 0;
}

#define REAL(name) static __typeof__(name) *real; if (!real) real = dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *data, size_t n) {
    REAL(write);
    return below_descriptor(fd) && fails() ? -1 : real(fd, data, n);
}
ssize_t pwrite(int fd, const void *data, size_t n, off_t at) {
    REAL(pwrite);
    return below_descriptor(fd) && fails() ? -1 : real(fd, data, n, at);
}
ssize_t writev(int fd, const struct iovec *parts, int n) {
    REAL(writev);
    return below_descriptor(fd) && fails() ? -1 : real(fd, parts, n);
}
int fsync(int fd) {
    REAL(fsync);
    return below_descriptor(fd) && fails() ? -1 : real(fd);
}
int rename(const char *from, const char *to) {
    REAL(rename);
    return below(to) && fails() ? -1 : real(from, to);
}
int mkdir(const char *path, mode_t mode) {
    REAL(mkdir);
    return below(path) && fails() ? -1 : real(path, mode);
}
static int creates(int flags) { return flags & O_CREAT; }
int open(const char *path, int flags, ...) {
    REAL(open);
    va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, int); va_end(rest);
    return creates(flags) && below(path) && fails() ? -1 : real(path, flags, mode);
}
int open64(const char *path, int flags, ...) {
    REAL(open64);
    va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, int); va_end(rest);
    return creates(flags) && below(path) && fails() ? -1 : real(path, flags, mode);
}
