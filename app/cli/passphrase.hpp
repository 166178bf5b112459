// SPDX-License-Identifier: Apache-2.0
// Where passphrases come from: a file, the environment, or a person. Never the command line, which
// other users of the machine can read. Allocates; blocks on the person.
#pragma once

#include <string>

#include "app/client/backup.hpp"
#include "app/client/failure.hpp"

namespace sotto::app {

inline constexpr std::size_t kPassphraseSizeMin = 8;  // of new ones
inline constexpr std::size_t kPassphraseSizeMax = 1'024;

enum class PassphraseUse : std::uint8_t {
    New,    // kPassphraseSizeMin at least; a person types it twice
    Known,  // any that is not empty
};

// From the first line of the file, if one is named; else from SOTTO_PASSPHRASE; else from standard
// input, without an echo on a terminal. Trouble::Usage.
Outcome<WipedBytes> read_passphrase(const std::string& file, PassphraseUse use);

}  // namespace sotto::app
