// SPDX-License-Identifier: Apache-2.0
// What a certificate in PEM says. Allocates; never blocks.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/types.h>

#include "core/base/result.hpp"
#include "ports/tls/fingerprint.hpp"

namespace sotto::ports {

// What is wrong, in words that go behind the name of a file or of a peer and a colon.
struct Complaint {
    std::string text;
};

struct CertificateFacts {
    Fingerprint fingerprint;
    std::vector<std::string> names;  // DNS names and addresses it is for
    std::int64_t not_before = 0;     // seconds since 1970, both inclusive
    std::int64_t not_after = 0;

    bool is_valid_at(std::int64_t now) const { return now >= not_before && now <= not_after; }
};

// The first certificate of a text, whatever else is in it.
Result<CertificateFacts, Complaint> read_certificate(std::string_view pem);

Fingerprint fingerprint_of(const X509& certificate);

}  // namespace sotto::ports
