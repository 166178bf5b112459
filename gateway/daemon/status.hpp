// SPDX-License-Identifier: Apache-2.0
// How a gateway stands, for its operator: in words, as JSON, as metrics for Prometheus. Nothing of
// what it carries. Allocates.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sotto::gateway {

struct Report {
    struct Cloud {
        std::string address;
        bool is_connected = false;
        std::string last_error{};  // since it was reached last
        std::size_t tags = 0;      // of devices, that it has given
    };
    struct Adapter {
        std::string name;
        bool is_scanning = false;
        std::string trouble{};  // why not, as far as it has said
    };
    struct Link {
        std::string device;  // its id, or unknown
        std::string name;
        std::string place;
        std::string service;  // sotto or bluz
        bool is_up = false;   // else it is being connected
        std::string cloud{};  // that it was offered to
        std::int64_t seconds = 0;
        std::optional<std::int64_t> rssi{};  // in dBm; these two where the air knows them
        std::optional<std::size_t> value_size{};
        struct Interval {
            std::uint32_t us = 0;
            std::uint16_t latency = 0;
        };
        std::optional<Interval> interval{};  // that the controller has granted
        std::string interval_trouble{};      // or why it is not as asked for
        std::uint64_t bytes_in = 0;          // from the device
        std::uint64_t bytes_out = 0;
    };
    // The latest end of a link, or of an attempt, at a place.
    struct Trouble {
        std::string place;
        std::string why;
        std::int64_t seconds_ago = 0;
        std::uint64_t count = 0;
    };

    std::int64_t seconds = 0;  // that it runs
    std::vector<Cloud> clouds{};
    std::string outage{};  // why there is no air at all
    std::vector<Adapter> adapters{};
    std::vector<Link> links{};
    std::vector<Trouble> troubles{};
};

std::string to_words(const Report& report);
std::string to_json(const Report& report);
std::string to_metrics(const Report& report);

}  // namespace sotto::gateway
