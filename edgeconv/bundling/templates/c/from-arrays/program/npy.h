/* Reads arrays as numpy.save writes them: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
#ifndef NPY_INCLUDED
#define NPY_INCLUDED

#include "../BUNDLE_IDENTIFIER.h"

/* Fills `out`, whose data BUNDLE_IDENTIFIER_free_arrays frees. Where that fails, `out` is empty and the reason is in
 * `error`. */
bool read_npy(const char *path, BUNDLE_IDENTIFIER_array *out, char *error, size_t error_size);

#endif
