// The few GNU/Linux calls that Swift's Glibc overlay does not show: sealed memory files, unlinked temporary files and
// handing freed heap pages back. Each returns what the system call returns, with errno set.
#ifndef CLINUX_H
#define CLINUX_H

#include <stddef.h>
#include <sys/types.h>

/// Creates an anonymous memory file that can be sealed; -1 on failure.
int clinux_memory_file(const char *_Nonnull name);

/// Forbids shrinking, growing and writing of a memory file; -1 on failure.
int clinux_seal(int descriptor);

/// Opens a file without a name in `directory` (O_TMPFILE, else create and unlink); -1 on failure.
int clinux_unlinked_file(const char *_Nonnull directory);

/// Lets the disk begin to write what a file has, without waiting (sync_file_range).
void clinux_start_sync(int descriptor);

/// Lets this process open as many files as the system allows it.
void clinux_raise_open_files(void);

/// Hands unused heap pages back to the system.
void clinux_trim_heap(void);

/// Monotonic clock in nanoseconds.
unsigned long long clinux_monotonic_nanoseconds(void);

/// First occurrence of `needle` in `haystack`, or NULL.
const void *_Nullable clinux_find(
    const void *_Nonnull haystack, size_t haystack_length, const void *_Nonnull needle, size_t needle_length);

#endif
