// SPDX-License-Identifier: Apache-2.0
// The state folder of sotto-cloud (docs/formats/cloud_folder.md): how it comes to be, whole or not
// at all, and how it is opened. Allocates; blocks on the disk.
#pragma once

#include <memory>
#include <string>

#include "cloud/server/settings.hpp"
#include "cloud/store_sqlite/sqlite_store.hpp"
#include "core/hal/entropy.hpp"
#include "core/keystore/records.hpp"
#include "ports/linux/file_storage.hpp"

namespace sotto::cloud::server {

// The account that init makes.
inline constexpr const char* kFirstAccount = "owner";

// The words say what to do next.
using ports::Failure;
using ports::Outcome;

// What belongs to one process at a time.
struct State {
    ports::FileStorage keys;  // holds the folder
    keystore::Identity identity;
};

// Makes everything, an authority with a certificate too, with the tokens in files of their own
// beside the database. What a run that was cut short has left is used or made anew.
// Error::AlreadyExists if there is a cloud: it is left as it is.
Outcome<> init(const InitCommand& command, hal::Entropy& entropy);

// Error::NotFound without a finished init.
Outcome<> check_cloud(const std::string& path);

// Error::NotFound without a finished init, Error::Busy while another process runs this cloud,
// Error::Malformed if the key is damaged.
Outcome<State> open_state(const std::string& path);
Outcome<std::unique_ptr<store_sqlite::SqliteStore>> open_store(const std::string& path,
                                                               store::Executor executor);

// What `sotto-cloud certificate` prints. With hosts, or where there is none, it makes one first: of
// the authority that is there, if there is one. Error::NotFound without a cloud.
Outcome<std::string> show_certificate(const CertificateCommand& command, std::int64_t now);

// The token of a new account or gateway. May be called while the cloud runs. Error::AlreadyExists
// if the name has one already.
Outcome<std::string> add(const AddCommand& command, hal::Entropy& entropy);

// SHA-256 of a token: how it is stored.
model::TokenHash hash_token(std::string_view token);

// Nothing is wrong with it: HOST:PORT, as ATTACH can carry it.
bool is_address(std::string_view text);

}  // namespace sotto::cloud::server
