// SPDX-License-Identifier: Apache-2.0
// Looks up open devices in the thread that calls, beside the store and whoever else reads: for
// threads that do the private operations of handshakes. May block on the disk. For one thread.
#pragma once

#include "cloud/model/accounts.hpp"
#include "core/base/result.hpp"

namespace sotto::cloud::store {

class DeviceReader {
  public:
    virtual ~DeviceReader() = default;

    // All that is known is of one moment, at which every change was made that the store had
    // answered before the call. Error::Busy, ::Malformed (damaged), ::StorageFailed.
    virtual Result<model::KnownDevice> find(const model::DeviceId& device) = 0;
};

}  // namespace sotto::cloud::store
