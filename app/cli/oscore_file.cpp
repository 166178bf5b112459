// SPDX-License-Identifier: Apache-2.0
#include "app/cli/oscore_file.hpp"

namespace sotto::app {

Outcome<OscoreFile> parse_oscore_file(std::string_view text) {
    auto file = ports::parse_context_file(text);
    if (!file)
        return Failure{Trouble::Usage,
                       "the OSCORE context cannot be used: " + file.error(),
                       std::string{ports::kContextFileHelp}};
    return *std::move(file);
}

}  // namespace sotto::app
