/* Opens files that strangers name. */
#ifndef BUNDLE_GUARD_FILE_H
#define BUNDLE_GUARD_FILE_H

#include <stdio.h>

/* Opens a file for reading. A pipe or a device, whose reading may never end, is refused.
 * NULL where that fails, and the reason in `reason`. */
FILE *BUNDLE_IDENTIFIER_open_file(const char *path, const char **reason);

#endif
