// SPDX-License-Identifier: Apache-2.0
#include "bench/owner.hpp"

#include <algorithm>
#include <fstream>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/base/hex.hpp"
#include "core/edhoc/role.hpp"
#include "core/keystore/private_key.hpp"
#include "ports/linux/system_clock.hpp"
#include "testing/program.hpp"

namespace sotto::bench {
namespace {

app::CloudAssignment assignment(const app::CloudLogin& login) {
    const auto ask = [&](app::HttpMethod method, const std::string& target) {
        return nlohmann::json::parse(
            must(app::http_request(login, method, target, kPatience)).body);
    };
    const auto about = ask(app::HttpMethod::Get, "/sotto/v1/cloud");
    const auto claim = ask(app::HttpMethod::Post, "/sotto/v1/claims");
    const auto bytes = from_hex<std::vector<std::uint8_t>>(claim.at("claim").get<std::string>());
    const auto credential =
        from_hex<std::vector<std::uint8_t>>(about.at("credential").get<std::string>());
    app::CloudAssignment assignment{.address = about.at("address").get<std::string>(),
                                    .credential_hash = crypto::sha256(*credential)};
    std::copy(bytes->begin(), bytes->end(), assignment.claim.begin());
    return assignment;
}

}  // namespace

std::string read_line(const std::string& file) {
    std::ifstream stream{file};
    std::string line;
    std::getline(stream, line);
    return line;
}

keystore::PairingCode read_code(const std::string& file) {
    auto code = keystore::parse_pairing_code(read_line(file));
    if (!code) throw std::runtime_error{"no pairing code in " + file};
    return *std::move(code);
}

framing::DeviceId device_id_of(const keystore::PairingCode& code) {
    framing::DeviceId id{};
    std::copy_n(code.credential_hash_prefix.begin(), id.size(), id.begin());
    return id;
}

Owner::Owner(hal::Storage& storage) : storage_(storage) {
    edhoc::EphemeralKey pair = edhoc::EphemeralKey::from(*keystore::draw_private_key(entropy_));
    identity_.credential =
        keystore::CredentialBytes{cose::Credential::create("bench", pair.public_key)->bytes()};
    identity_.private_key = std::move(pair.private_key);
}

app::Device::Setup Owner::setup(app::Transport& transport) {
    return {.identity = identity_,
            .storage = storage_,
            .entropy = entropy_,
            .transport = transport,
            .now = ports::SystemClock::now,
            .patience = kPatience};
}

void Owner::pair(app::Device& device, const keystore::PairingCode& code) {
    std::string why;
    const bool is_paired = testing::eventually([&] {
        const auto paired = device.pair(code);
        if (!paired) why = paired.error().what;
        return paired.has_value();
    });
    if (!is_paired) throw std::runtime_error{"the app cannot pair: " + why};
}

void Owner::assign(app::Device& device, const app::CloudLogin& login) {
    const std::uint32_t trial = must(device.try_cloud(assignment(login)));
    if (!testing::eventually([&] { return device.confirm_cloud(trial).has_value(); }))
        throw std::runtime_error{"the device does not attach"};
}

}  // namespace sotto::bench
