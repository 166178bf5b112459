// SPDX-License-Identifier: Apache-2.0
// An OSCORE context in a file, in TOML: master_secret, master_salt, sender_id, recipient_id,
// id_context, in hex, from the view of the program that reads it. Allocates.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/client/failure.hpp"
#include "core/oscore/context.hpp"

namespace sotto::app {

struct OscoreFile {
    oscore::Context context;
    std::optional<std::vector<std::uint8_t>> id_context;
    std::string name;  // of the context: the same file has the same, whatever its layout
};

// Trouble::Usage, with the key at fault.
Outcome<OscoreFile> parse_oscore_file(std::string_view text);

}  // namespace sotto::app
