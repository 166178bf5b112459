// SPDX-License-Identifier: Apache-2.0
// sotto-cloud backup and restore (docs/formats/cloud_backup.md). Allocates; blocks.
#pragma once

#include "cloud/server/settings.hpp"
#include "core/hal/entropy.hpp"
#include "ports/linux/failure.hpp"

namespace sotto::cloud::server {

// A new file, 0600, while the cloud runs or not. Error::AlreadyExists if the file is there: it is
// left as it is.
ports::Outcome<> backup(const BackupCommand& command, hal::Entropy& entropy);

// A cloud in a folder that has none. Error::AlreadyExists if anything is there but what a restore
// of the same backup that was cut short, or a file of settings.
ports::Outcome<> restore(const RestoreCommand& command);

}  // namespace sotto::cloud::server
