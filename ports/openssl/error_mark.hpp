// SPDX-License-Identifier: Apache-2.0
// OpenSSL keeps a queue of errors per thread, and TLS on the same thread reads it to judge its own
// calls: what our calls leave there is taken away again.
#pragma once

#include <openssl/err.h>

namespace sotto::ports::openssl {

class ErrorMark {
  public:
    ErrorMark() { ERR_set_mark(); }
    ErrorMark(const ErrorMark&) = delete;
    ErrorMark& operator=(const ErrorMark&) = delete;
    ~ErrorMark() { ERR_pop_to_mark(); }
};

}  // namespace sotto::ports::openssl
