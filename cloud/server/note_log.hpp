// SPDX-License-Identifier: Apache-2.0
// What happens in the cloud, as lines of its log. No payload, no token. Allocates.
#pragma once

#include "cloud/services/note.hpp"
#include "ports/service/log.hpp"

namespace sotto::cloud::server {

void write(ports::Log& log, const services::Note& note);

}  // namespace sotto::cloud::server
