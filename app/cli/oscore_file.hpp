// SPDX-License-Identifier: Apache-2.0
// An OSCORE context in a file, with the words for this program's user. Allocates.
#pragma once

#include "app/client/failure.hpp"
#include "ports/context_file/context_file.hpp"

namespace sotto::app {

using OscoreFile = ports::ContextFile;

// Trouble::Usage, with the key at fault.
Outcome<OscoreFile> parse_oscore_file(std::string_view text);

}  // namespace sotto::app
