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

struct Call;

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
// Of an open device of a user.
nlohmann::json device_summary(const model::OpenDeviceRecord& record,
                              const services::OpenDevice* line);
const char* name_of(services::ValueType type);
nlohmann::json time_of(Instant at);
// What a request says in JSON, or in a form, whose values are texts; an object.
nlohmann::json object_in(const Call& call);
// What a firmware says of itself in events: the last part of its path, without what no name has.
std::string plain_file_name(std::string_view path);
Reply invalid_request(std::string what);
// Beside everything: what a page of another origin may read and send.
void allow_other_origins(Reply& reply);

}  // namespace sotto::cloud::http
