// SPDX-License-Identifier: Apache-2.0
// Open devices by a connection of its own to the database file, which reads only.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "cloud/store/device_reader.hpp"
#include "cloud/store_sqlite/database.hpp"

namespace sotto::cloud::store_sqlite {

class SqliteDeviceReader final : public store::DeviceReader {
  public:
    // Opened at the first find(), and again after one that failed.
    explicit SqliteDeviceReader(std::string path) : path_(std::move(path)) {}

    Result<model::KnownDevice> find(const model::DeviceId& device) override;

  private:
    std::string path_;
    std::unique_ptr<Database> database_;
};

}  // namespace sotto::cloud::store_sqlite
