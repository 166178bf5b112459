// SPDX-License-Identifier: Apache-2.0
#include "core/coap/code.hpp"

namespace sotto::coap {

Code to_coap_code(Error error) {
    switch (error) {
        case Error::InvalidArgument:
        case Error::Malformed:
        case Error::Truncated:
            return Code::BadRequest;
        case Error::Unauthenticated:
            return Code::Unauthorized;
        case Error::Refused:
            return Code::Forbidden;
        case Error::NotFound:
            return Code::NotFound;
        case Error::AlreadyExists:
        case Error::Superseded:
        case Error::WrongState:
            return Code::Conflict;
        case Error::Expired:
            return Code::PreconditionFailed;
        case Error::TooLarge:
            return Code::RequestEntityTooLarge;
        case Error::Unsupported:
            return Code::UnsupportedContentFormat;
        case Error::RateLimited:
            return Code::TooManyRequests;
        case Error::Busy:
        case Error::Timeout:
            return Code::ServiceUnavailable;
        case Error::EntropyFailed:
        case Error::NoSpace:
        case Error::StorageFailed:
            return Code::InternalServerError;
    }
    return Code::InternalServerError;
}

}  // namespace sotto::coap
