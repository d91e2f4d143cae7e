#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

// What a process that parses hostile files may still ask of the kernel: memory, its own threads, the descriptors it
// has. The list allows; everything else fails with EPERM. https://docs.kernel.org/userspace-api/seccomp_filter.html

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

// How a temporary file is opened: O_EXCL keeps it from ever getting a name. Just this is allowed.
#define TEMPORARY_FLAGS (O_TMPFILE | O_EXCL | O_RDWR | O_CLOEXEC)

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
// The lower half of an argument, on little-endian machines.
#define LOAD_LOW(argument) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[argument]))
#define LOAD_HIGH(argument) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[argument]) + 4)
#define UNLESS(value, skipped) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skipped))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, (action))
#define DENY RETURN(SECCOMP_RET_ERRNO | EPERM)
#define ALLOW(number) UNLESS(number, 1), RETURN(SECCOMP_RET_ALLOW)
// A call that is allowed only when one argument has a value.
#define ALLOW_IF(number, argument, value) \
    UNLESS(number, 4), LOAD_LOW(argument), UNLESS(value, 1), RETURN(SECCOMP_RET_ALLOW), DENY

int clinux_temporary_file(int directory) {
    return openat(directory, ".", TEMPORARY_FLAGS, 0600);
}

int clinux_sandbox(int directory) {
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
#ifndef ARCHITECTURE
    (void)directory;
    return ENOSYS;
#else
    struct sock_filter program[] = {
        LOAD(arch),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
        RETURN(SECCOMP_RET_KILL_PROCESS),
        LOAD(nr),
        // The most frequent first.
        ALLOW(__NR_futex),
        ALLOW(__NR_read),
        ALLOW(__NR_write),
        ALLOW(__NR_mmap),
        ALLOW(__NR_munmap),
        ALLOW(__NR_madvise),
        ALLOW(__NR_recvmsg),
        ALLOW(__NR_sendmsg),
        ALLOW(__NR_close),
        ALLOW(__NR_fstat),
        ALLOW(__NR_fcntl),
        ALLOW(__NR_mprotect),
        ALLOW(__NR_mremap),
        ALLOW(__NR_brk),
        ALLOW(__NR_memfd_create),
        ALLOW(__NR_ftruncate),
        ALLOW(__NR_fallocate),
        ALLOW(__NR_lseek),
        ALLOW(__NR_pread64),
        ALLOW(__NR_pwrite64),
        ALLOW(__NR_readv),
        ALLOW(__NR_writev),
        ALLOW(__NR_sendfile),
        ALLOW(__NR_dup),
        ALLOW(__NR_ppoll),
        ALLOW(__NR_clock_gettime),
        ALLOW(__NR_clock_getres),
        ALLOW(__NR_clock_nanosleep),
        ALLOW(__NR_nanosleep),
        ALLOW(__NR_gettimeofday),
        ALLOW(__NR_sched_yield),
        ALLOW(__NR_sched_getaffinity),
        ALLOW(__NR_getpid),
        ALLOW(__NR_gettid),
        ALLOW(__NR_getuid),
        ALLOW(__NR_geteuid),
        ALLOW(__NR_getgid),
        ALLOW(__NR_getegid),
        ALLOW(__NR_getrandom),
        ALLOW(__NR_getrusage),
        ALLOW(__NR_sysinfo),
        ALLOW(__NR_uname),
        ALLOW(__NR_membarrier),
        ALLOW(__NR_rt_sigaction),
        ALLOW(__NR_rt_sigprocmask),
        ALLOW(__NR_rt_sigreturn),
        ALLOW(__NR_sigaltstack),
        ALLOW(__NR_set_robust_list),
        ALLOW(__NR_rseq),
        ALLOW(__NR_set_tid_address),
        ALLOW(__NR_restart_syscall),
        ALLOW(__NR_exit),
        ALLOW(__NR_exit_group),
#ifdef __NR_poll
        ALLOW(__NR_poll),
#endif
#ifdef __NR_time
        ALLOW(__NR_time),
#endif
        // Its own threads, for abort().
        ALLOW_IF(__NR_tgkill, 0, (unsigned)getpid()),
        // fstat of new libraries: a descriptor and no path.
        ALLOW_IF(__NR_newfstatat, 3, AT_EMPTY_PATH),
        // Limits are read, not set.
        UNLESS(__NR_prlimit64, 6),
        LOAD_LOW(2),
        UNLESS(0, 3),
        LOAD_HIGH(2),
        UNLESS(0, 1),
        RETURN(SECCOMP_RET_ALLOW),
        DENY,
        // Threads, no processes. The flags of clone3 lie in memory where no filter sees them: libc then takes clone.
        UNLESS(__NR_clone3, 1),
        RETURN(SECCOMP_RET_ERRNO | ENOSYS),
        UNLESS(__NR_clone, 4),
        LOAD_LOW(0),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 0, 1),
        RETURN(SECCOMP_RET_ALLOW),
        DENY,
        // New files without a name and without a way to get one, from the directory that was opened before.
        UNLESS(__NR_openat, 6),
        LOAD_LOW(0),
        UNLESS((unsigned)directory, 3),
        LOAD_LOW(2),
        UNLESS(TEMPORARY_FLAGS, 1),
        RETURN(SECCOMP_RET_ALLOW),
        DENY,
        DENY,
    };
    struct sock_fprog filter = {sizeof program / sizeof program[0], program};
    // For all threads there are, or none.
    long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &filter);
    if (result < 0) return errno;
    return result > 0 ? ESRCH : 0;
#endif
}
