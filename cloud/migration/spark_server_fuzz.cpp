// SPDX-License-Identifier: Apache-2.0
// The files of another server, with a zero byte between them. What is taken is what this cloud
// would have taken over REST.
#include <algorithm>
#include <set>

#include "cloud/hooks/hook.hpp"
#include "cloud/migration/limits.hpp"
#include "cloud/migration/spark_server.hpp"
#include "core/base/assert.hpp"
#include "core/base/bytes.hpp"
#include "core/framing/text.hpp"

namespace {

using namespace sotto;                    // NOLINT(google-build-using-namespace)
using namespace sotto::cloud;             // NOLINT(google-build-using-namespace)
using namespace sotto::cloud::migration;  // NOLINT(google-build-using-namespace)

std::string take(std::string_view& rest) {
    const std::string_view part = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    return std::string{part};
}

// Not SHA-256, but as good here.
model::TokenHash hash(std::string_view text) {
    model::TokenHash result;
    std::size_t i = 0;
    for (const char c : text) {
        auto& byte = result.bytes[i++ % result.bytes.size()];
        byte = static_cast<std::uint8_t>(byte * 31 + static_cast<std::uint8_t>(c));
    }
    return result;
}

void check(const store::ArrivingUser& user, Instant now) {
    SOTTO_ASSERT(!user.name.empty() && user.name.size() <= kUserNameSizeMax);
    SOTTO_ASSERT(framing::is_printable_utf8(user.name) && user.password.empty());
    for (const model::Token& token : user.tokens) SOTTO_ASSERT(*token.expires_at > now);
    for (const model::OpenDeviceRecord& device : user.devices)
        SOTTO_ASSERT(device.name.size() <= kDeviceNameSizeMax);
    for (const model::HookRecord& hook : user.hooks)
        SOTTO_ASSERT(hooks::parse_hook(nlohmann::json::parse(hook.definition)).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest = as_text(Bytes{data, size});
    SparkServerFiles files;
    files.users = take(rest);
    files.device_attributes = take(rest);
    files.device_keys = take(rest);
    files.webhooks = take(rest);
    files.products = take(rest);
    const Instant now{1'795'990'000'000};
    const auto server = read_spark_server(
        files,
        {.hash = hash,
         .read_device_key = [](std::string_view pem) -> Result<std::vector<std::uint8_t>> {
             if (pem.size() < 10) return Error::Malformed;
             return std::vector<std::uint8_t>(pem.begin(), pem.end());
         },
         .now = now});
    if (!server) return 0;
    SOTTO_ASSERT(server->passwords.size() == server->arrivals.users.size());
    std::set<std::string> names;
    std::set<model::DeviceId> devices;
    std::size_t hook_count = 0;
    for (const store::ArrivingUser& user : server->arrivals.users) {
        check(user, now);
        SOTTO_ASSERT(names.insert(user.name).second);
        for (const auto& device : user.devices) SOTTO_ASSERT(devices.insert(device.device).second);
        hook_count += user.hooks.size();
    }
    SOTTO_ASSERT(hook_count == server->hook_names.size());
    std::set<model::DeviceId> keys;
    for (const model::DeviceKey& key : server->arrivals.keys)
        SOTTO_ASSERT(keys.insert(key.device).second);
    return 0;
}
