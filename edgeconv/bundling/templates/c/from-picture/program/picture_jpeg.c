#include "decoders.h"

#include <setjmp.h>
#include <string.h>

/* These two need stdio.h and stddef.h before them. */
#include <jpeglib.h>

#include <jerror.h>

typedef struct {
    struct jpeg_error_mgr manager; /* first: libjpeg hands out a pointer to it */
    jmp_buf jump;
    decoding *job;
} reader;

static void fail(j_common_ptr info) {
    reader *with = (reader *)info->err;
    char message[JMSG_LENGTH_MAX];
    info->err->format_message(info, message);
    snprintf(with->job->error, with->job->error_size, "a damaged JPEG: %s", message);
    longjmp(with->jump, 1);
}

/* libjpeg fills what is missing with grey and warns: no picture to give an answer for. */
static void judge(j_common_ptr info, int level) {
    const int code = info->err->msg_code;
    if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE)) {
        fail(info);
    }
}

static int orientation_of(const struct jpeg_decompress_struct *info) {
    static const uint8_t name[] = {'E', 'x', 'i', 'f', 0, 0};
    for (jpeg_saved_marker_ptr marker = info->marker_list; marker != NULL; marker = marker->next) {
        if (marker->data_length > sizeof name && memcmp(marker->data, name, sizeof name) == 0) {
            return exif_orientation(marker->data + sizeof name, marker->data_length - sizeof name);
        }
    }
    return 1;
}

/* The bytes of what libjpeg keeps of a picture that comes in several scans. */
static size_t coefficients(struct jpeg_decompress_struct *info) {
    size_t blocks = 0;
    for (int i = 0; i < info->num_components && jpeg_has_multiple_scans(info); i++) {
        blocks += (size_t)info->comp_info[i].width_in_blocks * info->comp_info[i].height_in_blocks;
    }
    return blocks * sizeof(JBLOCK);
}

static bool read_rows(decoding *job, reader *with, struct jpeg_decompress_struct *info) {
    if (setjmp(with->jump) != 0) {
        return false;
    }
    jpeg_create_decompress(info);
    jpeg_stdio_src(info, job->file);
    jpeg_save_markers(info, JPEG_APP0 + 1, 0xffff);
    jpeg_read_header(info, TRUE);
    if (info->num_components != 1 && info->num_components != 3) {
        snprintf(job->error, job->error_size, "a JPEG of %d colours, convert it to RGB first", info->num_components);
        return false;
    }
    info->out_color_space = info->num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
    const size_t channels = (size_t)info->num_components;
    if (!check_size(job, info->image_height, info->image_width) || !check_bytes(job, coefficients(info))) {
        return false;
    }
    job->orientation = orientation_of(info);
    /* libjpeg itself halves a picture up to three times. */
    const size_t factor = scale_factor(info->image_height, info->image_width, channels);
    while (info->scale_denom < 8 && info->scale_denom * 2 <= factor) {
        info->scale_denom *= 2;
    }
    jpeg_calc_output_dimensions(info);
    if (!make_room(job, info->output_height, info->output_width, channels, info->output_width * channels)) {
        return false;
    }
    jpeg_start_decompress(info);
    while (info->output_scanline < info->output_height) {
        JSAMPROW row = job->decoded;
        jpeg_read_scanlines(info, &row, 1);
        take_row(job, row);
    }
    return true;
}

bool decode_jpeg(decoding *job) {
    reader with = {.job = job};
    struct jpeg_decompress_struct info = {.err = jpeg_std_error(&with.manager)};
    with.manager.error_exit = fail;
    with.manager.emit_message = judge;
    const bool read = read_rows(job, &with, &info);
    jpeg_destroy_decompress(&info);
    return read;
}
