// SPDX-License-Identifier: Apache-2.0
// A random number generator that is broken, for an emulated chip: QEMU asks GnuTLS for the bytes
// that its nRF51 gives. To be preloaded (LD_PRELOAD), with SOTTO_NOISE saying in which way:
//
//     stuck   always the same byte
//     biased  the same byte four times out of five
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int gnutls_rnd(int level, void *data, size_t size) {
    (void)level;
    const char *way = getenv("SOTTO_NOISE");
    const int is_biased = way && !strcmp(way, "biased");
    unsigned char *out = data;
    for (size_t i = 0; i < size; ++i)
        out[i] = (unsigned char)(is_biased && rand() % 5 == 0 ? rand() >> 8 : 0x5a);
    return 0;
}
