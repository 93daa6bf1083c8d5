#include "decoders.h"

#include <png.h>
#include <setjmp.h>

enum {
    MOST_CHUNKS = 16,
    MOST_CHUNK_BYTES = 1 << 23
};

static void fail(png_structp png, png_const_charp message) {
    decoding *job = png_get_error_ptr(png);
    snprintf(job->error, job->error_size, "a damaged PNG: %s", message);
    png_longjmp(png, 1);
}

static void ignore(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

/* Has libpng hand out 8 bits of grey, RGB or RGBA, whatever the file holds. Returns how often it goes through the rows. */
static int ask_for_bytes(png_structp png, png_infop info) {
    const int kind = png_get_color_type(png, info);
    const bool deep_grey = kind == PNG_COLOR_TYPE_GRAY && png_get_bit_depth(png, info) == 16;
    const bool transparent = (kind & PNG_COLOR_MASK_ALPHA) != 0 ||
                             (png_get_valid(png, info, PNG_INFO_tRNS) != 0 && !deep_grey);
    if (kind == PNG_COLOR_TYPE_PALETTE) {
        png_set_palette_to_rgb(png);
    } else if (kind == PNG_COLOR_TYPE_GRAY) {
        png_set_expand_gray_1_2_4_to_8(png);
    }
    if (deep_grey) {
        png_set_scale_16(png); /* rounds: 16 bits of grey are measurements */
    } else {
        png_set_strip_16(png); /* takes the upper byte, as most readers do */
    }
    if (transparent) {
        png_set_tRNS_to_alpha(png);
        png_set_gray_to_rgb(png);
    }
    const int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    return passes;
}

static int orientation_of(png_structp png, png_infop info) {
#ifdef PNG_eXIf_SUPPORTED
    png_bytep exif = NULL;
    png_uint_32 size = 0;
    if (png_get_eXIf_1(png, info, &size, &exif) != 0) {
        return exif_orientation(exif, size);
    }
#endif
    return 1;
}

typedef struct {
    png_structp png;
    png_infop info;
} reader;

static bool read_rows(decoding *job, reader *with) {
    if (setjmp(png_jmpbuf(with->png)) != 0) {
        return false;
    }
    png_init_io(with->png, job->file);
    /* Texts and profiles are small; some hundred that unpack to megabytes each are no picture's. */
    png_set_chunk_cache_max(with->png, MOST_CHUNKS);
    png_set_chunk_malloc_max(with->png, MOST_CHUNK_BYTES);
    png_read_info(with->png, with->info);
    const size_t height = png_get_image_height(with->png, with->info);
    const size_t width = png_get_image_width(with->png, with->info);
    if (!check_size(job, height, width)) {
        return false;
    }
    const int passes = ask_for_bytes(with->png, with->info);
    const size_t stride = png_get_rowbytes(with->png, with->info);
    const size_t kept = passes > 1 ? height : 1;
    if (!check_bytes(job, stride * kept) ||
        !make_room(job, height, width, png_get_channels(with->png, with->info), stride * kept)) {
        return false;
    }
    for (int pass = 1; pass <= passes; pass++) {
        for (size_t row = 0; row < height; row++) {
            uint8_t *decoded = job->decoded + row % kept * stride;
            png_read_row(with->png, decoded, NULL);
            if (pass == passes) {
                take_row(job, decoded);
            }
        }
    }
    png_read_end(with->png, with->info);
    job->orientation = orientation_of(with->png, with->info);
    return true;
}

bool decode_png(decoding *job) {
    reader with = {.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, job, fail, ignore)};
    with.info = with.png == NULL ? NULL : png_create_info_struct(with.png);
    const bool read = with.info != NULL && read_rows(job, &with);
    if (with.info == NULL) {
        snprintf(job->error, job->error_size, "libpng does not start");
    }
    png_destroy_read_struct(&with.png, &with.info, NULL);
    return read;
}
