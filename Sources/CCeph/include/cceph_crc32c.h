/* CRC-32C as Ceph uses it: start value from the caller, no final inversion. */
#ifndef CCEPH_CRC32C_H
#define CCEPH_CRC32C_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

uint32_t cceph_crc32c(uint32_t crc, const uint8_t *bytes, size_t length);
/* The portable one, for comparison. */
uint32_t cceph_crc32c_table(uint32_t crc, const uint8_t *bytes, size_t length);

#ifdef __cplusplus
}
#endif
#endif
