// SPDX-License-Identifier: Apache-2.0
// sotto-cloud status: what the running cloud says of itself, and what is in its database.
// Allocates; blocks.
#pragma once

#include <string>

#include "cloud/http/metrics.hpp"
#include "cloud/server/settings.hpp"
#include "ports/linux/failure.hpp"

namespace sotto::cloud::server {

extern const char* const kVersion;

struct Places {
    std::string http;
    std::string devices;
    std::string particle;  // empty: none
    std::string metrics;   // empty: none
};

// The answer to GET /status, in JSON.
std::string render_status(const http::Numbers& numbers, const Places& places, Instant now);

// The bytes of the database and its log.
std::uint64_t size_of_database(const std::string& state);

// What to print. Error::NotFound if no cloud runs there.
ports::Outcome<std::string> status(const StatusCommand& command);

}  // namespace sotto::cloud::server
