// SPDX-License-Identifier: Apache-2.0
// How REST says things. A refusal has the members that either kind of client looks at: ok, error
// and error_description. Allocates.
#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "cloud/http/request.hpp"
#include "cloud/model/accounts.hpp"
#include "cloud/services/open_device.hpp"
#include "core/base/error.hpp"

namespace sotto::cloud::http {

Reply rest_reply(const nlohmann::json& body, unsigned status = 200);
Reply rest_refusal(unsigned status, const char* error, std::string description);
// What an error of the store means where nothing else was said about it.
Reply rest_failure(Error error);
Reply rest_refusal(services::DeviceError error, const std::string& what);
Reply rest_refusal(const services::UpdateFailure& failure);
Reply too_many_streams();
Reply too_many_log_ins();
inline constexpr const char* kUploadStopped =
    "The upload stopped before its end; nothing was changed";
Reply upload_stopped();
// What is to be remembered of what a device says of itself.
model::DeviceTraces traces_of(const services::DeviceAttributes& attributes);
// Beside everything: what a page of another origin may read and send.
void allow_other_origins(Reply& reply);

}  // namespace sotto::cloud::http
