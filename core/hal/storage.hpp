// SPDX-License-Identifier: Apache-2.0
// Durable records, as core needs them. What "done" means is part of the contract.
#pragma once

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/base/strong.hpp"

namespace sotto::hal {

// Names a record. The numbers are listed in docs/formats.
using RecordId = Strong<std::uint16_t, struct RecordIdTag>;

class Storage {
  public:
    // The size of the record, copied to the front of `out`. Error::NotFound if there is none,
    // Error::NoSpace if `out` is too small, Error::StorageFailed if it can't be read or is corrupt.
    virtual Result<std::size_t> load(RecordId id, MutBytes out) = 0;

    // Atomic and durable: after success, and after a power cut at any moment, a load finds the new
    // record or, if this did not return success, either the old or the new one; never a torn one.
    // Error::StorageFailed, Error::NoSpace: the old record stands.
    virtual Status store(RecordId id, Bytes record) = 0;

    // As store(), to nothing. Erasing what is not there succeeds.
    virtual Status erase(RecordId id) = 0;

  protected:
    ~Storage() = default;  // owned by main
};

}  // namespace sotto::hal
