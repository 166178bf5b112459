// SPDX-License-Identifier: Apache-2.0
// An OSCORE context in a file, in TOML: master_secret, master_salt, sender_id, recipient_id,
// id_context, in hex, from the view of the program that reads it. AES-CCM-16-64-128, HKDF SHA-256.
// Allocates; no file is touched here.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/oscore/context.hpp"

namespace sotto::ports {

struct ContextFile {
    oscore::Context context;
    std::optional<std::vector<std::uint8_t>> id_context;
    std::string name;  // of the context: the same file has the same, whatever its layout
};

// What a context file holds, in a sentence.
inline constexpr std::string_view kContextFileHelp =
    "It holds master_secret, sender_id and recipient_id, and may hold master_salt and id_context, "
    "each as key = \"hex digits\"";

// What is wrong, with the key at fault, otherwise.
Result<ContextFile, std::string> parse_context_file(std::string_view text);

}  // namespace sotto::ports
