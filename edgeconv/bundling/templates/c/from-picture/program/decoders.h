/* What the two decoders of picture.c have in common. */
#ifndef DECODERS_INCLUDED
#define DECODERS_INCLUDED

#include "picture.h"

#include <stdio.h>

/* A picture while it is decoded. The decoders' errors jump back over their own functions: what has
 * to be freed then is kept here, where no jump loses it. */
typedef struct {
    FILE *file;
    picture result;
    int orientation; /* of EXIF, 1 to 8 */
    char *error;
    size_t error_size;
} decoding;

bool decode_png(decoding *job);
bool decode_jpeg(decoding *job);

/* Makes room for the pixels. Refuses pictures that are too large. */
bool make_room(decoding *job, size_t height, size_t width, size_t channels);

/* The orientation that EXIF data state, 1 where they state none; `size` bytes from the TIFF header on. */
int exif_orientation(const uint8_t *tiff, size_t size);

#endif
