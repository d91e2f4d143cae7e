// MD5, SHA-1 and SHA-256 of the same bytes in one pass, with the SHA instructions of x86-64 processors; and the CRC-32 of
// RFC 1952 with their multiplication without carry.
#ifndef CDIGESTS_H
#define CDIGESTS_H

#include <stddef.h>
#include <stdint.h>

/// The words of the three digests between two blocks.
struct cdigests {
    uint32_t md5[4];
    uint32_t sha1[5];
    uint32_t sha256[8];
};

/// Whether this processor has the instructions; without them nothing else may be called.
int cdigests_supported(void);

/// The words before the first block.
void cdigests_start(struct cdigests *_Nonnull state);

/// Takes so many blocks of 64 bytes.
void cdigests_update(struct cdigests *_Nonnull state, const uint8_t *_Nonnull bytes, size_t blocks);

/// Sixteen bytes, the first one lowest.
struct cdigests_rest {
    uint64_t low, high;
};

/// Whether this processor has the instructions for `cdigests_fold_crc`, which otherwise may not be called.
int cdigests_folds_crc(void);

/// Sixteen bytes whose checksum, begun with 0, is that of so many blocks of 64 bytes (at least one), begun with `crc`;
/// both sums as they are before they are inverted.
struct cdigests_rest cdigests_fold_crc(uint32_t crc, const uint8_t *_Nonnull bytes, size_t blocks);

#endif
