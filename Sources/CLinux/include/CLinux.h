// The few GNU/Linux calls that Swift's Glibc overlay does not show: sealed memory files, unlinked temporary files,
// handing freed heap pages back, processes of this program, packets with descriptors, and the sandbox. Each returns what
// the system call returns, with errno set, unless it says otherwise.
#ifndef CLINUX_H
#define CLINUX_H

#include <stddef.h>
#include <sys/types.h>

/// Creates an anonymous memory file that can be sealed; -1 on failure.
int clinux_memory_file(const char *_Nonnull name);

/// Forbids shrinking, growing and writing of a memory file, but for mappings that are there; -1 on failure.
int clinux_seal(int descriptor);

/// Opens a file without a name in `directory` (O_TMPFILE, else create and unlink); -1 on failure.
int clinux_unlinked_file(const char *_Nonnull directory);

/// Waits until everything on the file system of a descriptor is on its disk (syncfs); -1 on failure.
int clinux_sync_file_system(int descriptor);

/// Lets this process open as many files as the system allows it.
void clinux_raise_open_files(void);

/// Most descriptors in one packet.
#define CLINUX_DESCRIPTOR_LIMIT 200

/// Opens a file in an open directory that has no name and can get none; -1 on failure, also where the file system has no
/// O_TMPFILE.
int clinux_temporary_file(int directory);

/// Two connected sockets for packets (SOCK_SEQPACKET), not inherited by programs; -1 on failure.
int clinux_socket_pair(int *_Nonnull first, int *_Nonnull second);

/// Sends a packet with descriptors; -1 on failure, EAGAIN when `waits` is 0 and there is no room.
ssize_t clinux_send(
    int socket, const void *_Nonnull bytes, size_t count, const int *_Nullable descriptors, size_t descriptor_count,
    int waits);

/// Receives a packet with its descriptors, of which there may be CLINUX_DESCRIPTOR_LIMIT; 0 at the end, -1 on failure.
ssize_t clinux_receive(
    int socket, void *_Nonnull bytes, size_t capacity, int *_Nonnull descriptors, size_t *_Nonnull descriptor_count);

/// Starts a program with one argument and a descriptor as number 3, in a process group of its own, with nothing else
/// open but standard error; -1 on failure.
pid_t clinux_spawn(const char *_Nonnull program, const char *_Nonnull argument, int descriptor);

/// Starts a program, found in PATH, with these descriptors (-1: /dev/null) and nothing else open; they are above 2, or those
/// of this process at their own place. `words` end with NULL. -1 on failure.
pid_t clinux_run(const char *_Nullable const *_Nonnull words, int input, int output, int errors);

/// Forks; 0 in the child, which has that name then, -1 on failure.
pid_t clinux_fork(const char *_Nonnull name);

/// Closes all descriptors from `lowest` on.
void clinux_close_from(int lowest);

/// A descriptor for a process, so that its number cannot come to mean another; -1 on failure.
int clinux_process_descriptor(pid_t process);

/// Sends a signal.
int clinux_signal(int process_descriptor, int number);

/// Lets a thread run only where no other wants to (SCHED_IDLE), or as its niceness says again. 0, or -1.
int clinux_set_idle(pid_t thread, int is_idle);

/// Waits for a child: its exit code or -1, and the signal it died of or 0; -1 on failure.
int clinux_wait(pid_t process, int *_Nonnull code, int *_Nonnull number);

/// Forbids core files, offers this process to the out-of-memory killer first, and limits its private memory
/// in bytes unless that is 0.
void clinux_become_engine(unsigned long long data_limit);

/// Bytes of memory of this machine, 0 if not known.
long long clinux_physical_memory(void);

/// Forbids all threads of this process, for good, everything but memory, threads and the descriptors it has; temporary
/// files may be made with `clinux_temporary_file` in `directory` (-1 for none). 0, or an error number.
int clinux_sandbox(int directory);

/// Starts a program in `/` with four descriptors (standard input, output, errors, and 3) and nothing else open: a session of
/// its own, at most `memory` bytes of address space, files and outputs of at most `output` bytes, no new privileges. Where
/// the kernel allows: a process namespace of its own, no file written or removed, and no sockets unless `allows_network`.
/// `arguments` begin with the path. -1 on failure; what fails later is said on its standard error, exit code 126 or 127.
pid_t clinux_start_program(
    const char *_Nullable const *_Nonnull arguments, const char *_Nullable const *_Nonnull environment,
    const int *_Nonnull descriptors, unsigned long long memory, unsigned long long output, int allows_network);

/// Waits for a program's end, at most so long; then kills it and all it has started, and collects it. Its exit code or -1,
/// and the signal it died of or 0. 1 if its time was over, 0 if it ended by itself, -1 on failure.
int clinux_wait_program(
    pid_t process, int process_descriptor, int milliseconds, int *_Nonnull code, int *_Nonnull number);

/// The version of Landlock that the kernel has; below 1 when it has none.
int clinux_landlock_version(void);

/// Ends this process with its parent.
void clinux_become_broker(void);

/// Hands unused heap pages back to the system.
void clinux_trim_heap(void);

/// Monotonic clock in nanoseconds.
unsigned long long clinux_monotonic_nanoseconds(void);

/// First occurrence of `needle` in `haystack`, or NULL.
const void *_Nullable clinux_find(
    const void *_Nonnull haystack, size_t haystack_length, const void *_Nonnull needle, size_t needle_length);

#endif
