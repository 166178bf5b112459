// SPDX-License-Identifier: Apache-2.0
// A plugin for QEMU whose processor stands still after certain operations on the flash:
//
//     -plugin libpower_cut.so,socket=PATH
//
// A flash operation is a store to the flash itself, or one to the register that erases a page. The
// plugin is a client of the socket. It writes the address of each operation in a line, and reads
// numbers in decimal: after so many operations the processor stands still until the next number is
// there. At the end of the socket it runs on.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

// QEMU's plugin interface, version 1, as far as it is used here: Debian ships no header of it.
typedef uint64_t qemu_plugin_id_t;
typedef uint32_t qemu_plugin_meminfo_t;
typedef struct qemu_info_t qemu_info_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*translated_t)(qemu_plugin_id_t, struct qemu_plugin_tb *);
typedef void (*accessed_t)(unsigned, qemu_plugin_meminfo_t, uint64_t address, void *);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, translated_t);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *, accessed_t, int flags, int way,
                                      void *);
_Bool qemu_plugin_mem_is_store(qemu_plugin_meminfo_t);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

enum { kNoRegisters = 0, kStores = 2 };
enum { kFlashSize = 256 * 1024, kErasePage = 0x4001e508 };

static FILE *line;  // to read from
static long left;   // operations before the next number is read; 0: without end

static void read_left(void) {
    if (fscanf(line, "%ld", &left) != 1) left = 0;
}

// Called when memory has been accessed; QEMU 7.2 tells of loads too, whatever was asked for.
static void stored(unsigned cpu, qemu_plugin_meminfo_t info, uint64_t address, void *data) {
    (void)cpu;
    (void)data;
    if (!qemu_plugin_mem_is_store(info)) return;
    if (address >= kFlashSize && address != kErasePage) return;
    dprintf(fileno(line), "%#llx\n", (unsigned long long)address);
    if (left > 0 && --left == 0) read_left();
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
    (void)id;
    for (size_t i = 0; i < qemu_plugin_tb_n_insns(tb); ++i)
        qemu_plugin_register_vcpu_mem_cb(qemu_plugin_tb_get_insn(tb, i), stored, kNoRegisters,
                                         kStores, NULL);
}

static FILE *connect_to(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path) return NULL;
    strcpy(address.sun_path, path);
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) return NULL;
    return fdopen(fd, "r");
}

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id,
                                                                const qemu_info_t *info, int argc,
                                                                char **argv) {
    (void)info;
    for (int i = 0; i < argc; ++i) {
        if (!strncmp(argv[i], "socket=", 7)) line = connect_to(argv[i] + 7);
    }
    if (!line) return 1;
    read_left();
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
