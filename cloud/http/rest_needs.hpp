// SPDX-License-Identifier: Apache-2.0
// What the routes of REST need of a token, and fields that several of them take. Plain constants.
#pragma once

#include <cstdint>

#include "cloud/model/accounts.hpp"

namespace sotto::cloud::http {

inline constexpr auto kRead = static_cast<std::uint32_t>(model::Scope::DevicesRead);
inline constexpr auto kVariables = static_cast<std::uint32_t>(model::Scope::VariablesRead);
inline constexpr auto kCall = static_cast<std::uint32_t>(model::Scope::FunctionsCall);
inline constexpr auto kUpdate = static_cast<std::uint32_t>(model::Scope::DevicesUpdate);
inline constexpr auto kClaim = static_cast<std::uint32_t>(model::Scope::DevicesClaim);
inline constexpr auto kEvents = static_cast<std::uint32_t>(model::Scope::EventsRead);
inline constexpr auto kSend = static_cast<std::uint32_t>(model::Scope::EventsSend);
inline constexpr auto kUser = static_cast<std::uint32_t>(model::Scope::User);
inline constexpr auto kEnv = static_cast<std::uint32_t>(model::Scope::Environment);
inline constexpr auto kUsers = static_cast<std::uint32_t>(model::Scope::Users);
inline constexpr auto kFirmware = static_cast<std::uint32_t>(model::Scope::Firmware);
inline constexpr auto kProducts = static_cast<std::uint32_t>(model::Scope::Products);
inline constexpr auto kHooks = static_cast<std::uint32_t>(model::Scope::Integrations);
inline constexpr const char* kHookFields =
    "event,url,requestType,deviceID,name,disabled,noDefaults,headers,query,form,json,body,auth,"
    "responseTopic,errorResponseTopic,responseTemplate,unchunked,dataUrlResponseEvent,"
    "rejectUnauthorized";
inline constexpr std::uint32_t kAny = 0;  // whatever it is good for

}  // namespace sotto::cloud::http
