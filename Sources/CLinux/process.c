#define _GNU_SOURCE
#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

// A process of this program, and packets with file descriptors between processes.

int clinux_socket_pair(int *first, int *second) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return -1;
    *first = pair[0];
    *second = pair[1];
    return 0;
}

union control {
    char bytes[CMSG_SPACE(sizeof(int) * CLINUX_DESCRIPTOR_LIMIT)];
    struct cmsghdr alignment;
};

ssize_t clinux_send(
    int socket, const void *bytes, size_t count, const int *descriptors, size_t descriptor_count, int waits) {
    struct iovec part = {(void *)bytes, count};
    union control control;
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptor_count > CLINUX_DESCRIPTOR_LIMIT) {
        errno = ETOOMANYREFS;
        return -1;
    }
    if (descriptor_count > 0) {
        size_t length = sizeof(int) * descriptor_count;
        memset(&control, 0, sizeof control);
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(length);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(length);
        memcpy(CMSG_DATA(header), descriptors, length);
    }
    ssize_t sent;
    do {
        sent = sendmsg(socket, &message, MSG_NOSIGNAL | (waits ? 0 : MSG_DONTWAIT));
    } while (sent < 0 && errno == EINTR);
    return sent;
}

ssize_t clinux_receive(int socket, void *bytes, size_t capacity, int *descriptors, size_t *descriptor_count) {
    struct iovec part = {bytes, capacity};
    union control control;
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    ssize_t received;
    *descriptor_count = 0;
    do {
        received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    } while (received < 0 && errno == EINTR);
    if (received < 0) return -1;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t index = 0; index < count && *descriptor_count < CLINUX_DESCRIPTOR_LIMIT; index++) {
            memcpy(&descriptors[*descriptor_count], CMSG_DATA(header) + index * sizeof(int), sizeof(int));
            *descriptor_count += 1;
        }
    }
    if (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
        for (size_t index = 0; index < *descriptor_count; index++) close(descriptors[index]);
        *descriptor_count = 0;
        errno = EMSGSIZE;
        return -1;
    }
    return received;
}

// Signals as a program expects them, not as this one has set them for itself.
static pid_t start(
    const char *program, char *const *words, char *const *environment, posix_spawn_file_actions_t *actions, short flags) {
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setpgroup(&attributes, 0);
    sigset_t none, all;
    sigemptyset(&none);
    sigemptyset(&all);
    for (int number = 1; number < 32; number++)
        if (number != SIGKILL && number != SIGSTOP) sigaddset(&all, number);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes, flags | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    pid_t process = -1;
    int result = posix_spawnp(&process, program, actions, &attributes, words, environment);
    posix_spawn_file_actions_destroy(actions);
    posix_spawnattr_destroy(&attributes);
    if (result != 0) {
        errno = result;
        return -1;
    }
    return process;
}

pid_t clinux_spawn(const char *program, const char *argument, int descriptor) {
    extern char **environ;
    size_t count = 0;
    while (environ[count] != NULL) count++;
    char **environment = calloc(count + 2, sizeof(char *));
    if (environment == NULL) return -1;
    size_t used = 0;
    // The runtime's crash handler would hold the dead process for seconds, and starts a program to do so.
    for (size_t index = 0; index < count; index++)
        if (strncmp(environ[index], "SWIFT_BACKTRACE=", 16) != 0) environment[used++] = environ[index];
    environment[used] = "SWIFT_BACKTRACE=enable=no";

    char *words[] = {"thunderstorm", (char *)argument, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    // Standard output may be where events go.
    posix_spawn_file_actions_adddup2(&actions, 2, 1);
    posix_spawn_file_actions_adddup2(&actions, descriptor, 3);
    posix_spawn_file_actions_addclosefrom_np(&actions, 4);
    // A group of its own: Ctrl-C at the terminal is for the service, which then drains.
    pid_t process = start(program, words, environment, &actions, POSIX_SPAWN_SETPGROUP);
    free(environment);
    return process;
}

pid_t clinux_run(const char *const *words, int input, int output, int errors) {
    extern char **environ;
    int descriptors[] = {input, output, errors};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (int index = 0; index < 3; index++)
        if (descriptors[index] >= 0)
            posix_spawn_file_actions_adddup2(&actions, descriptors[index], index);
        else
            posix_spawn_file_actions_addopen(&actions, index, "/dev/null", index == 0 ? O_RDONLY : O_WRONLY, 0);
    posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    return start(words[0], (char *const *)words, environ, &actions, 0);
}

pid_t clinux_fork(const char *name) {
    pid_t process = fork();
    if (process == 0) prctl(PR_SET_NAME, name);
    return process;
}

void clinux_close_from(int lowest) { closefrom(lowest); }

int clinux_process_descriptor(pid_t process) { return (int)syscall(SYS_pidfd_open, process, 0); }

int clinux_signal(int process_descriptor, int number) {
    return (int)syscall(SYS_pidfd_send_signal, process_descriptor, number, NULL, 0);
}

int clinux_set_idle(pid_t thread, int is_idle) {
    struct sched_param none = {0};
    return sched_setscheduler(thread, is_idle ? SCHED_IDLE : SCHED_OTHER, &none);
}

int clinux_wait(pid_t process, int *code, int *number) {
    int status = 0;
    pid_t result;
    do {
        result = waitpid(process, &status, 0);
    } while (result < 0 && errno == EINTR);
    if (result < 0) return -1;
    *code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    *number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    return 0;
}

void clinux_become_engine(unsigned long long data_limit) {
    // Samples must not end up in core files; and whoever runs out of memory, it is this process that goes.
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (file >= 0) {
        ssize_t put = write(file, "800", 3);
        (void)put;
        close(file);
    }
    if (data_limit > 0) {
        struct rlimit limit = {data_limit, data_limit};
        setrlimit(RLIMIT_DATA, &limit);
    }
}

long long clinux_physical_memory(void) {
    long pages = sysconf(_SC_PHYS_PAGES);
    long size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (long long)pages * size : 0;
}
