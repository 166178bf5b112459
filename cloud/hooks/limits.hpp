// SPDX-License-Identifier: Apache-2.0
// Every limit of webhooks, in one table, with what happens at it.
#pragma once

#include <array>
#include <cstddef>

#include "core/base/token_bucket.hpp"

namespace sotto::cloud::hooks {

// What a user defines; then 400.
inline constexpr std::size_t kEventPrefixSizeMax = 64;
inline constexpr std::size_t kUrlSizeMax = 2'048;
inline constexpr std::size_t kPairsMax = 64;  // headers, parameters of the query, fields of a form

// Templates; then hook-error, and no retry.
inline constexpr std::size_t kSectionDepthMax = 16;       // also 400 where it is defined
inline constexpr std::size_t kRenderStepsMax = 65'536;    // texts and tags gone through
inline constexpr std::size_t kJsonDepthMax = 32;          // of data, then it is a text like another
inline constexpr std::size_t kRequestSizeMax = 65'536;    // of each text that a template makes
inline constexpr std::size_t kTopicSizeMax = 128;         // of the name of an event about a hook
inline constexpr std::size_t kResponseSizeMax = 102'400;  // of what the target answers
inline constexpr std::size_t kResponsePartSize = 512;     // the last may be smaller

// Requests under way at once; the others wait for their turn.
inline constexpr std::size_t kActiveMax = 1'024;
inline constexpr std::size_t kActivePerAccountMax = 16;
inline constexpr std::size_t kActivePerHostMax = 8;  // of one account
// Requests that wait, also for their retry; then hook-error, and this one is not sent.
inline constexpr std::size_t kWaitingMax = 65'536;
inline constexpr std::size_t kWaitingPerAccountMax = 4'096;
inline constexpr Duration kResponseTimeMax = seconds(20);  // for everything; then it has failed
inline constexpr std::array kRetryDelays = {seconds(30), seconds(60)};

// A host, as one account sees it. Where more failed than went well of late, and so many, nothing is
// sent until it has rested, each time longer; then one request tries.
inline constexpr std::size_t kFailuresToSleep = 5;
inline constexpr Duration kSleepTimeMin = seconds(5);
inline constexpr Duration kSleepTimeMax = seconds(60);
inline constexpr Duration kForgetTime = minutes(2);  // without a request, everything about a host

// hook-error events of one account; what is beyond is in GET /v1/integrations/ID only.
inline constexpr Rate kErrorEventRate{.burst = 32, .refill = milliseconds(250)};

}  // namespace sotto::cloud::hooks
