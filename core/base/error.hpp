// SPDX-License-Identifier: Apache-2.0
// The closed list of operating errors. No allocation, no blocking, owns nothing.
#pragma once

#include <cstdint>
#include <string_view>

namespace sotto {

// 0 is none of them: it stands for success where one number has to say both. As wide as a register
// where that is cheaper than a byte.
enum class Error : std::uint_fast8_t {
    AlreadyExists = 1,  // what is to be created is there already
    Busy,               // every slot for this is taken; try later
    EntropyFailed,      // no randomness of full strength is to be had
    Expired,            // the time in which this was valid has passed
    InvalidArgument,    // the caller gave a value outside the contract
    Malformed,          // the bytes break the grammar of their format
    NoSpace,            // the buffer, table or store is too small for this
    NotFound,           // nothing is stored under this name
    RateLimited,        // more often than the limit allows
    Refused,            // understood, authenticated, and not permitted
    StorageFailed,      // the storage could not read or write
    Superseded,         // a later message of the same peer has already been taken
    Timeout,            // no answer in time
    TooLarge,           // over a documented limit
    Truncated,          // the bytes end before their format does
    Unauthenticated,    // could not be decrypted or verified; deliberately says no more
    Unsupported,        // well-formed, but not something we speak
    WrongState,         // not a message or call for this state
};

inline constexpr std::uint8_t kErrorCount = static_cast<std::uint8_t>(Error::WrongState);

// The name of the enumerator, for logs and tests.
std::string_view to_string(Error error);

}  // namespace sotto
