#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// A program of somebody else's, started for one sample. Between clone and execve only calls are made that are safe
// while other threads of the parent hold locks. What the kernel does not offer is left out: the limits of time, memory
// and output hold everywhere.

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifndef __NR_landlock_create_ruleset
#define __NR_landlock_create_ruleset 444
#define __NR_landlock_add_rule 445
#define __NR_landlock_restrict_self 446
#endif

static void put(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return;
    ssize_t done = write(file, text, strlen(text));
    (void)done;
    close(file);
}

int clinux_landlock_version(void) { return (int)syscall(__NR_landlock_create_ruleset, NULL, 0, 1); }

// No file is written, made or removed; /dev/null takes what it is given. https://docs.kernel.org/userspace-api/landlock.html
static void forbid_writing(void) {
    int version = clinux_landlock_version();
    if (version < 1) return;
    // Write, remove, make: bits 1 and 4 to 12; moving files (13) and truncating (14) came with versions 2 and 3.
    unsigned long long rights = 1ull << 1;
    for (int bit = 4; bit <= 12; bit++) rights |= 1ull << bit;
    if (version >= 2) rights |= 1ull << 13;
    if (version >= 3) rights |= 1ull << 14;
    unsigned long long attributes = rights;
    long set = syscall(__NR_landlock_create_ruleset, &attributes, sizeof attributes, 0);
    if (set < 0) return;
    int null = open("/dev/null", O_PATH | O_CLOEXEC);
    struct landlock_path_beneath_attr beneath = {.allowed_access = 1ull << 1, .parent_fd = null};
    if (null >= 0) syscall(__NR_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
    syscall(__NR_landlock_restrict_self, set, 0);
    close((int)set);
    if (null >= 0) close(null);
}

// No sockets, whatever the family, and no io_uring, which could make them; no look into other processes.
static void forbid_network(void) {
#ifdef ARCHITECTURE
#define REFUSE(number) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#ifdef __x86_64__
        // The calls of the x32 interface have numbers of their own.
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
#endif
        REFUSE(__NR_socket),
        REFUSE(__NR_io_uring_setup),
        REFUSE(__NR_ptrace),
        REFUSE(__NR_process_vm_readv),
        REFUSE(__NR_process_vm_writev),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof program / sizeof program[0], program};
    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter);
#endif
}

static void limit(int resource, unsigned long long value) {
    struct rlimit both = {value, value};
    setrlimit(resource, &both);
}

pid_t clinux_start_program(
    const char *const *arguments, const char *const *environment, const int *descriptors, unsigned long long memory,
    unsigned long long output, int allows_network) {
    char users[64], groups[64];
    snprintf(users, sizeof users, "%u %u 1\n", geteuid(), geteuid());
    snprintf(groups, sizeof groups, "%u %u 1\n", getegid(), getegid());
    // In a process namespace of its own, whatever the program has started ends with it. Root may have one without a
    // user namespace; some systems allow neither.
    const unsigned long choices[] = {CLONE_NEWUSER | CLONE_NEWPID, CLONE_NEWPID, 0};
    pid_t process = -1;
    unsigned long flags = 0;
    for (size_t index = 0; index < 3; index++) {
        flags = choices[index];
        process = (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
        if (process >= 0) break;
    }
    if (process != 0) return process;

    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    setsid();
    sigset_t none;
    sigemptyset(&none);
    for (int number = 1; number < 32; number++) signal(number, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    // Out of the way first: the numbers may overlap.
    int moved[4];
    for (int index = 0; index < 4; index++) {
        moved[index] = fcntl(descriptors[index], F_DUPFD, 16);
        if (moved[index] < 0) _exit(126);
    }
    for (int index = 0; index < 4; index++)
        if (dup2(moved[index], index) < 0) _exit(126);
    closefrom(4);
    if (flags & CLONE_NEWUSER) {
        put("/proc/self/setgroups", "deny");
        put("/proc/self/uid_map", users);
        put("/proc/self/gid_map", groups);
    }
    for (int capability = 0; capability < 64; capability++) prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_FSIZE, output);
    limit(RLIMIT_NOFILE, 256);
    limit(RLIMIT_AS, memory);
    int there = chdir("/");
    (void)there;
    forbid_writing();
    if (!allows_network) forbid_network();
    execve(arguments[0], (char *const *)arguments, (char *const *)environment);
    const char *text = "the program cannot be executed: is it there, and what its first line names?\n";
    ssize_t done = write(2, text, strlen(text));
    (void)done;
    _exit(127);
}

int clinux_wait_program(pid_t process, int descriptor, int milliseconds, int *code, int *number) {
    struct pollfd waiting = {descriptor, POLLIN, 0};
    unsigned long long end = clinux_monotonic_nanoseconds() + (unsigned long long)milliseconds * 1000000ull;
    int is_late = 0;
    for (;;) {
        unsigned long long now = clinux_monotonic_nanoseconds();
        int left = now >= end ? 0 : (int)((end - now) / 1000000ull) + 1;
        int ready = poll(&waiting, 1, left);
        if (ready > 0) break;
        is_late = clinux_monotonic_nanoseconds() >= end;
        if (is_late || (ready < 0 && errno != EINTR)) break;
    }
    // Also what it has started, where there are no namespaces.
    kill(-process, SIGKILL);
    clinux_signal(descriptor, SIGKILL);
    return clinux_wait(process, code, number) < 0 ? -1 : is_late;
}

void clinux_become_broker(void) {
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    limit(RLIMIT_CORE, 0);
}
