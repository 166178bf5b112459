// SPDX-License-Identifier: Apache-2.0
// The cloud's own authority and the certificate that it issues to the cloud, in the state folder
// (docs/formats/cloud_folder.md). Allocates; blocks on the disk.
#pragma once

#include <string>
#include <vector>

#include "ports/authority/authority.hpp"
#include "ports/linux/failure.hpp"

namespace sotto::cloud::server {

struct OwnCertificate {
    ports::Fingerprint authority;
    ports::CertificateFacts server;
};

// Where its certificate, with the key, and that of its authority are.
std::string own_certificate_path(const std::string& state);
std::string own_authority_path(const std::string& state);

bool has_own_authority(const std::string& state);

// Makes the authority if there is none, and a certificate for loopback and these hosts, from now on
// for kCertificateLifetime. What a run that was cut short has left is used or made anew.
// Error::InvalidArgument for what is no host, Error::Malformed if the authority is damaged,
// Error::StorageFailed.
ports::Outcome<> issue_own_certificate(const std::string& state,
                                       const std::vector<std::string>& hosts,
                                       std::int64_t now);

// Issues another one for the same hosts when the life of the present one is nearly over, has not
// begun, or when it cannot be read: then for `known_hosts`. Whether it did. Errors as above.
ports::Outcome<bool> renew_own_certificate(const std::string& state,
                                           const std::vector<std::string>& known_hosts,
                                           std::int64_t now);

// Error::NotFound if there is none, Error::Malformed if one of them is damaged.
ports::Outcome<OwnCertificate> read_own_certificate(const std::string& state);

}  // namespace sotto::cloud::server
