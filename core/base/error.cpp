// SPDX-License-Identifier: Apache-2.0
#include "core/base/error.hpp"

namespace sotto {

std::string_view to_string(Error error) {
    switch (error) {
        case Error::AlreadyExists:
            return "AlreadyExists";
        case Error::Busy:
            return "Busy";
        case Error::EntropyFailed:
            return "EntropyFailed";
        case Error::Expired:
            return "Expired";
        case Error::InvalidArgument:
            return "InvalidArgument";
        case Error::Malformed:
            return "Malformed";
        case Error::NoSpace:
            return "NoSpace";
        case Error::NotFound:
            return "NotFound";
        case Error::RateLimited:
            return "RateLimited";
        case Error::Refused:
            return "Refused";
        case Error::StorageFailed:
            return "StorageFailed";
        case Error::Superseded:
            return "Superseded";
        case Error::Timeout:
            return "Timeout";
        case Error::TooLarge:
            return "TooLarge";
        case Error::Truncated:
            return "Truncated";
        case Error::Unauthenticated:
            return "Unauthenticated";
        case Error::Unsupported:
            return "Unsupported";
        case Error::WrongState:
            return "WrongState";
    }
    return "?";
}

}  // namespace sotto
