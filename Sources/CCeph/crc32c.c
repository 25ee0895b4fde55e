#include "cceph_crc32c.h"

#include <string.h>

static uint32_t table[256];

__attribute__((constructor)) static void fill_table(void) {
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++) value = value & 1 ? value >> 1 ^ 0x82f63b78u : value >> 1;
        table[i] = value;
    }
}

uint32_t cceph_crc32c_table(uint32_t crc, const uint8_t *bytes, size_t length) {
    for (size_t i = 0; i < length; i++) crc = table[(crc ^ bytes[i]) & 0xff] ^ crc >> 8;
    return crc;
}

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static uint32_t hardware(uint32_t crc, const uint8_t *bytes, size_t length) {
    uint64_t wide = crc;
    for (; length >= 8; bytes += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    for (; length; bytes++, length--) crc = __builtin_ia32_crc32qi(crc, *bytes);
    return crc;
}

uint32_t cceph_crc32c(uint32_t crc, const uint8_t *bytes, size_t length) {
    return __builtin_cpu_supports("sse4.2") ? hardware(crc, bytes, length) : cceph_crc32c_table(crc, bytes, length);
}

#elif defined(__aarch64__) && defined(__ARM_FEATURE_CRC32)

#include <arm_acle.h>

uint32_t cceph_crc32c(uint32_t crc, const uint8_t *bytes, size_t length) {
    for (; length >= 8; bytes += 8, length -= 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        crc = __crc32cd(crc, word);
    }
    for (; length; bytes++, length--) crc = __crc32cb(crc, *bytes);
    return crc;
}

#else

uint32_t cceph_crc32c(uint32_t crc, const uint8_t *bytes, size_t length) {
    return cceph_crc32c_table(crc, bytes, length);
}

#endif
