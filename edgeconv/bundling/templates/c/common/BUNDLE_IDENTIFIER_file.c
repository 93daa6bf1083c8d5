#ifndef _WIN32
#define _POSIX_C_SOURCE 200112L /* stat */
#endif

#include "BUNDLE_IDENTIFIER_file.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

static bool is_endless(const char *path) {
#ifdef _WIN32
    (void)path; /* there pipes and devices have no names among those of files */
    return false;
#else
    struct stat status;
    return stat(path, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode);
#endif
}

FILE *BUNDLE_IDENTIFIER_open_file(const char *path, const char **reason) {
    if (is_endless(path)) {
        *reason = "a pipe or a device";
        return NULL;
    }
    FILE *file = fopen(path, "rb");
    *reason = file == NULL ? strerror(errno) : "";
    return file;
}
