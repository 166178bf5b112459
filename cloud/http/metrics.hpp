// SPDX-License-Identifier: Apache-2.0
// The cloud's numbers as text for Prometheus (docs/metrics.md; exposition format 0.0.4). Pure.
// Allocates.
#pragma once

#include <string>

#include "cloud/hooks/dispatcher.hpp"
#include "cloud/services/note.hpp"
#include "cloud/store/statistics.hpp"
#include "core/base/time.hpp"

namespace sotto::cloud::http {

struct Numbers {
    std::string version{};
    Instant started_at{};  // since 1970
    services::Counters counters{};
    services::Census census{};
    store::Statistics store{};
    std::uint64_t store_bytes = 0;
    std::size_t http_connections = 0;  // that are no channels
    std::size_t event_streams = 0;
    hooks::Totals webhooks{};
    std::size_t tag_gateways = 0;            // that are given tags
    std::size_t legacy_devices = 0;          // connected
    std::size_t legacy_strangers = 0;        // that have not said Hello
    std::int64_t certificate_expires_s = 0;  // since 1970; 0 without TLS
};

inline constexpr const char* kMetricsType = "text/plain; version=0.0.4; charset=utf-8";

// As a word: handed_on, stored and so on.
const char* name_of(framing::channel::OutcomeCode outcome);

std::string render_metrics(const Numbers& numbers);

}  // namespace sotto::cloud::http
