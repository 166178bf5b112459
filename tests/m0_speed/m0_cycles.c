// SPDX-License-Identifier: Apache-2.0
// A plugin for QEMU that counts instructions and cycles of a Cortex-M0 between calls of two marker
// functions of the guest:
//
//     -plugin libm0_cycles.so,begin=0xADDRESS,end=0xADDRESS,out=FILE
//
// Each pair of calls is a line "INSTRUCTIONS CYCLES". The cycles are those of the instruction timings
// in the Cortex-M0 Technical Reference Manual (r0p0, section 3.3) with memory that answers at once
// and the fast multiplier: an estimate, the same on every run. Flash of the nRF51 has no wait states.
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// QEMU's plugin interface, version 1, as far as it is used here: Debian ships no header of it.
typedef uint64_t qemu_plugin_id_t;
typedef struct qemu_info_t qemu_info_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*translated_t)(qemu_plugin_id_t, struct qemu_plugin_tb *);
typedef void (*executed_t)(unsigned, void *);
void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t, translated_t);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, executed_t, int flags, void *);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

enum { kNoRegisters = 0 };

// A translated block of guest code, which runs from its first to its last instruction.
typedef struct {
    uint32_t address;
    uint32_t next;  // of the instruction behind it
    uint32_t instructions;
    uint32_t cycles;      // a conditional branch at its end counted as not taken
    int ends_in_branch;   // a conditional one
} Block;

static uint32_t begin_address, end_address;
static uint64_t instructions, cycles, begin_instructions, begin_cycles;
static const Block *previous;
static FILE *out;

static int bits(unsigned value) { return __builtin_popcount(value); }

// The cycles of an instruction; a conditional branch as if it were not taken.
static uint32_t cost(const uint8_t *code, size_t size) {
    const unsigned word = code[0] | (unsigned)code[1] << 8;
    if (size == 4) return 4;                                              // BL, MRS, MSR, barriers
    if ((word & 0xfe00) == 0xb400) return 1 + bits(word & 0x1ff);         // PUSH
    if ((word & 0xff00) == 0xbd00) return 4 + bits(word & 0xff);          // POP with PC
    if ((word & 0xff00) == 0xbc00) return 1 + bits(word & 0xff);          // POP
    if ((word & 0xf000) == 0xc000) return 1 + bits(word & 0xff);          // LDM, STM
    if ((word & 0xf800) == 0x4800) return 2;                              // LDR literal
    if (word >= 0x5000 && word < 0xa000) return 2;                        // loads and stores
    if ((word & 0xf800) == 0xe000) return 3;                              // B
    if ((word & 0xff00) == 0x4700) return 3;                              // BX, BLX
    if ((word & 0xff87) == 0x4487 || (word & 0xff87) == 0x4687) return 3; // ADD PC, MOV PC
    return 1;
}

static int is_conditional_branch(const uint8_t *code, size_t size) {
    return size == 2 && (code[1] & 0xf0) == 0xd0 && (code[1] & 0x0f) < 0x0e;
}

static void executed(unsigned cpu, void *data) {
    (void)cpu;
    const Block *block = data;
    if (previous && previous->ends_in_branch && block->address != previous->next) cycles += 2;
    if (block->address == begin_address) {
        begin_instructions = instructions;
        begin_cycles = cycles;
    } else if (block->address == end_address) {
        fprintf(out, "%llu %llu\n", (unsigned long long)(instructions - begin_instructions),
                (unsigned long long)(cycles - begin_cycles));
        fflush(out);
    }
    instructions += block->instructions;
    cycles += block->cycles;
    previous = block;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb) {
    (void)id;
    Block *block = calloc(1, sizeof *block);
    if (!block) abort();
    block->address = block->next = (uint32_t)qemu_plugin_tb_vaddr(tb);
    block->instructions = (uint32_t)qemu_plugin_tb_n_insns(tb);
    for (uint32_t i = 0; i < block->instructions; ++i) {
        struct qemu_plugin_insn *instruction = qemu_plugin_tb_get_insn(tb, i);
        const uint8_t *code = qemu_plugin_insn_data(instruction);
        const size_t size = qemu_plugin_insn_size(instruction);
        block->cycles += cost(code, size);
        block->next += (uint32_t)size;
        block->ends_in_branch = is_conditional_branch(code, size);
    }
    qemu_plugin_register_vcpu_tb_exec_cb(tb, executed, kNoRegisters, block);
}

static uint32_t address_of(const char *text) { return (uint32_t)strtoul(text, NULL, 16) & ~1U; }

__attribute__((visibility("default"))) int qemu_plugin_install(qemu_plugin_id_t id,
                                                                const qemu_info_t *info, int argc,
                                                                char **argv) {
    (void)info;
    out = stderr;
    for (int i = 0; i < argc; ++i) {
        if (!strncmp(argv[i], "begin=", 6)) begin_address = address_of(argv[i] + 6);
        if (!strncmp(argv[i], "end=", 4)) end_address = address_of(argv[i] + 4);
        if (!strncmp(argv[i], "out=", 4)) out = fopen(argv[i] + 4, "w");
    }
    if (!out || !begin_address || !end_address) return 1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    return 0;
}
