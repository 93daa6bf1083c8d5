#include "numbers.h"

#include "json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct {
    const char *name;
    size_t size;
} number_type;

/* In the order of ONNX' numbers of types. */
static const number_type TYPES[] = {
    {NULL, 0}, {"float32", 4}, {"uint8", 1}, {"int8", 1}, {"uint16", 2}, {"int16", 2}, {"int32", 4}, {"int64", 8},
    {NULL, 0}, {"bool", 1}, {"float16", 2}, {"float64", 8}, {"uint32", 4}, {"uint64", 8}};

size_t number_size(int type) {
    return type > 0 && (size_t)type < sizeof TYPES / sizeof *TYPES ? TYPES[type].size : 0;
}

bool same_shape(const BUNDLE_IDENTIFIER_array *one, const BUNDLE_IDENTIFIER_array *other) {
    return one->type == other->type && one->axes == other->axes && one->size == other->size &&
           memcmp(one->shape, other->shape, one->axes * sizeof *one->shape) == 0;
}

/* IEEE 754, binary16: a sign, 5 bits of exponent, 10 of fraction. */
static double from_half(uint16_t bits) {
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double size = exponent == 0 ? ldexp(fraction, -24) : ldexp(fraction + 1024, exponent - 25);
    if (exponent == 31) {
        size = fraction == 0 ? (double)INFINITY : (double)NAN;
    }
    return bits >> 15 ? -size : size;
}

double number_at(const BUNDLE_IDENTIFIER_array *array, size_t index) {
    union {
        float float32;
        double float64;
        uint8_t uint8;
        int8_t int8;
        uint16_t uint16;
        int16_t int16;
        uint32_t uint32;
        int32_t int32;
        uint64_t uint64;
        int64_t int64;
    } number;
    const size_t size = number_size(array->type);
    memcpy(&number, (const uint8_t *)array->data + index * size, size);
    switch (array->type) {
    case 1:
        return (double)number.float32;
    case 2:
    case 9:
        return number.uint8;
    case 3:
        return number.int8;
    case 4:
        return number.uint16;
    case 5:
        return number.int16;
    case 6:
        return number.int32;
    case 7:
        return (double)number.int64;
    case 10:
        return from_half(number.uint16);
    case 11:
        return number.float64;
    case 12:
        return number.uint32;
    default:
        return (double)number.uint64;
    }
}

bool finite_numbers(const BUNDLE_IDENTIFIER_array *arrays, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const size_t size = number_size(arrays[i].type);
        for (size_t at = 0; at < arrays[i].size / size; at++) {
            if (!isfinite(number_at(&arrays[i], at))) {
                return false;
            }
        }
    }
    return true;
}

void json_numbers(const BUNDLE_IDENTIFIER_array *array) {
    const size_t count = array->size / number_size(array->type);
    putchar('[');
    for (size_t i = 0; i < count; i++) {
        const double number = number_at(array, i);
        printf(i == 0 ? "" : ", ");
        if (array->type == 9) {
            printf(number != 0 ? "true" : "false");
        } else if (number == floor(number) && fabs(number) < 1e15) {
            printf("%.0f", number); /* an integer to its last digit */
        } else {
            json_number(number);
        }
    }
    putchar(']');
}

void json_outputs(const BUNDLE_IDENTIFIER_array *outputs, size_t count) {
    putchar('{');
    for (size_t i = 0; i < count; i++) {
        printf(i == 0 ? "" : ", ");
        json_string(BUNDLE_IDENTIFIER_output_name(i));
        printf(": {\"dtype\": \"%s\", \"shape\": [", TYPES[outputs[i].type].name);
        for (size_t axis = 0; axis < outputs[i].axes; axis++) {
            printf(axis == 0 ? "%lld" : ", %lld", (long long)outputs[i].shape[axis]);
        }
        printf("], \"data\": ");
        json_numbers(&outputs[i]);
        putchar('}');
    }
    putchar('}');
}
