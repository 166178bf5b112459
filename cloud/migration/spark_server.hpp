// SPDX-License-Identifier: Apache-2.0
// What the open server that people have (Brewskey's spark-server, 1.0 and its like) keeps in its
// collections, as this cloud would take it. Allocates; pure.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "cloud/migration/collection.hpp"
#include "cloud/store/arrivals.hpp"

namespace sotto::cloud::migration {

// The contents of its files NAME.db; empty for those that are not there.
struct SparkServerFiles {
    std::string users{};
    std::string device_attributes{};
    std::string device_keys{};
    std::string webhooks{};
    std::string products{};
};

struct SparkServerTools {
    std::function<model::TokenHash(std::string_view)> hash;  // SHA-256
    std::function<Result<std::vector<std::uint8_t>>(std::string_view pem)> read_device_key;
    Instant now{};
    // How users of that server are called here, if not as there. Each of them is the user of the
    // account that is here already.
    std::map<std::string, std::string> names{};
};

// How it keeps a password: PBKDF2, 30,000 times; both in base 64.
struct SparkServerPassword {
    std::string salt{};
    std::string hash{};
};
inline constexpr std::uint32_t kSparkServerIterations = 30'000;
// What everybody knows: of the administrator that it makes at its first start.
inline constexpr const char* kSparkServerDefaultPassword = "adminPassword";

// What does not come, or not whole.
struct Remark {
    std::string what{};  // "user", "device", "webhook", ...
    std::string name{};
    std::string why{};
};

// What a webhook is called where there are many.
struct HookName {
    std::string event{};
    std::string host{};
};

struct SparkServer {
    store::Arrivals arrivals{};                    // without passwords
    std::vector<SparkServerPassword> passwords{};  // in the places of the users
    std::vector<HookName> hook_names{};            // of all users one after the other
    std::vector<Remark> remarks{};
};

Result<SparkServer, Complaint> read_spark_server(const SparkServerFiles& files,
                                                 const SparkServerTools& tools);

}  // namespace sotto::cloud::migration
