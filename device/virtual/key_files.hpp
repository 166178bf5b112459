// SPDX-License-Identifier: Apache-2.0
// The files of the command line that say who this device is and whom it trusts. Allocates; blocks
// on the disk.
#pragma once

#include <vector>

#include "core/cose/id_cred.hpp"
#include "device/virtual/outcome.hpp"
#include "device/virtual/settings.hpp"
#include "ports/context_file/context_file.hpp"

namespace sotto::device {

struct GivenIdentity {
    crypto::DhPrivateKey private_key;
    cose::Credential credential;
};

struct KeyFiles {
    std::optional<GivenIdentity> identity;
    std::vector<cose::Credential> trusted;
    std::optional<ports::ContextFile> context;
};

Outcome<KeyFiles> read_key_files(const Settings& settings);

}  // namespace sotto::device
