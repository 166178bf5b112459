// SPDX-License-Identifier: Apache-2.0
// Put in front of BearSSL's RSA public operation on the chip: its room on the stack is made for
// 4,096 bits, and ports/bearssl/field.cpp has 256.
#include "inner.h"
#undef BR_MAX_RSA_SIZE
#define BR_MAX_RSA_SIZE 1024
