// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/note_log.hpp"

#include "cloud/http/api.hpp"
#include "cloud/http/metrics.hpp"
#include "core/base/hex.hpp"

namespace sotto::cloud::server {

using services::Happening;

namespace {

std::string name_of(const model::DeviceId& device) { return to_hex<std::string>(device); }

// The account, and enough of the installation's id to tell two apart.
std::string name_of(const model::AppAddress& app) {
    return std::to_string(app.account.value()) + "/" +
           to_hex<std::string>(Bytes{app.app.bytes}.first(4));
}

void write_answer(ports::Log& log, const services::Note& note) {
    log.debug("answered",
              {{"app", name_of(*note.app)},
               {"device", name_of(*note.device)},
               {"outcome", http::name_of(*note.outcome)}});
}

}  // namespace

void write(ports::Log& log, const services::Note& note) {
    switch (note.what) {
        case Happening::GatewayWelcome:
            return log.info("gateway-connected", {{"gateway", note.gateway}});
        case Happening::GatewayRefused:
            return log.warn("gateway-refused", {});
        case Happening::GatewayGone:
            return log.info("gateway-gone", {{"gateway", note.gateway}});
        case Happening::AppConnected:
            return log.info("app-connected", {{"app", name_of(*note.app)}});
        case Happening::AppGone:
            return log.info("app-gone", {{"app", name_of(*note.app)}});
        case Happening::DeviceAttached:
            return log.info("device-attached", {{"device", name_of(*note.device)}});
        case Happening::DeviceDetached:
            return log.info("device-detached", {{"device", name_of(*note.device)}});
        case Happening::DeviceNotAttached:
            return log.warn("device-not-attached", {{"device", name_of(*note.device)}});
        case Happening::Answered:
            return write_answer(log, note);
        case Happening::Dropped:
            return log.debug("message-dropped", {{"device", name_of(*note.device)}});
    }
}

}  // namespace sotto::cloud::server
