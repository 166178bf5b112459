// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/settings.hpp"

#include <charconv>
#include <iterator>
#include <utility>

#include "ports/service/log.hpp"

namespace sotto::cloud::server {

namespace {

// Where the cloud is, and what it does for whom.
std::vector<ports::Setting> services_of(Settings& settings) {
    return {
        {"http", "HOST:PORT", "where apps connect; port 0 takes a free one", &settings.http},
        {"devices",
         "HOST:PORT",
         "where gateways connect; port 0 takes a free one",
         &settings.devices},
        {"address",
         "HOST:PORT",
         "what gateways and devices are told to connect to; empty: what init was told, else where "
         "devices listens",
         &settings.address},
        {"particle",
         "HOST:PORT",
         "where legacy Particle devices connect, which expect port 5683; their protocol encrypts "
         "by itself, as well as it could in 2013; empty: nowhere",
         &settings.particle},
        {"particle-enrol",
         "",
         "take the key that a legacy device shows if none is known for it; else an operator says "
         "sotto-cloud keys set",
         &settings.particle_enrol},
        {"particle-parts",
         "FOLDER",
         "system parts of Device OS (*.bin), which are sent to legacy devices that start in safe "
         "mode for want of them; read at the start; empty: none are sent",
         &settings.particle_parts},
        {"update-spread",
         "SECONDS",
         "time over which the devices that a release of firmware is for are begun with, each at a "
         "moment that is drawn; 0 to 86400",
         &settings.update_spread},
        {"webhook-allow",
         "NETWORK",
         "networks that webhooks of users may call although they are this machine or private, such "
         "as 192.168.1.0/24; beyond them webhooks call public addresses only",
         &settings.webhook_allow},
    };
}

// How it does it, and what it tells.
std::vector<ports::Setting> operation_of(Settings& settings) {
    return {
        {"tls", "", "speak TLS on this machine too; beyond it that is so anyway", &settings.tls},
        {"certificate",
         "FILE",
         "certificate to show, in PEM, with those of its authorities behind it; read again when it "
         "changes; empty: that of the cloud's own authority, which apps and gateways know by its "
         "fingerprint",
         &settings.certificate_file},
        {"key", "FILE", "private key of that certificate, in PEM", &settings.key_file},
        {"insecure",
         "",
         "speak in the clear beyond this machine, too: tokens can be read in the network",
         &settings.insecure},
        {"ports-file",
         "FILE",
         "write http=HOST:PORT, devices=HOST:PORT and so on to this file once they listen; empty: "
         "do not",
         &settings.ports_file},
        {"capture",
         "FILE",
         "record what passes, sealed as it is and without tokens, in lines of: direction device "
         "label hex; empty: do not",
         &settings.capture_file},
        {"metrics",
         "HOST:PORT",
         "serve metrics at /metrics there, in the clear and to whoever asks: they are numbers and "
         "nothing else; empty: do not",
         &settings.metrics},
        {.name = "log-level",
         .type = "LEVEL",
         .help = "how much is told on standard error: debug, info, warn or error",
         .place = &settings.log_level,
         .choices = {std::begin(ports::kLogLevels), std::end(ports::kLogLevels)}},
        {.name = "log-format",
         .type = "FORMAT",
         .help = "how it is told: text, a line of words for each event, or json, an object",
         .place = &settings.log_format,
         .choices = {std::begin(ports::kLogFormats), std::end(ports::kLogFormats)}},
    };
}

}  // namespace

std::vector<ports::Setting> table_of(Settings& settings) {
    std::vector<ports::Setting> table = services_of(settings);
    for (ports::Setting& setting : operation_of(settings)) table.push_back(std::move(setting));
    return table;
}

ports::Outcome<Duration> parse_update_spread(const Settings& settings) {
    constexpr int kMax_s = 86'400;
    const std::string& text = settings.update_spread;
    int count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error == std::errc{} && end == text.data() + text.size() && count >= 0 && count <= kMax_s)
        return seconds(count);
    return ports::Failure{
        Error::InvalidArgument,
        "--update-spread " + text + ": it must be a number of seconds, 0 to 86400"};
}

std::string print(Settings settings) {
    Settings defaults;
    return ports::print_settings(table_of(settings), table_of(defaults));
}

}  // namespace sotto::cloud::server
