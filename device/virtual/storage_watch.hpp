// SPDX-License-Identifier: Apache-2.0
// A storage that tells its log when it begins to refuse what is to be stored, and when it takes it
// again: what the device answers then (5.00, TRY_AGAIN) says to its owner that something failed,
// not what. Borrows both.
#pragma once

#include <string>

#include "core/hal/storage.hpp"
#include "device/virtual/log.hpp"

namespace sotto::device {

class StorageWatch final : public hal::Storage {
  public:
    StorageWatch(hal::Storage& storage, Log& log) : storage_(storage), log_(log) {}

    Result<std::size_t> load(hal::RecordId id, MutBytes out) override {
        return storage_.load(id, out);
    }
    Status store(hal::RecordId id, Bytes record) override {
        return told(storage_.store(id, record));
    }
    Status erase(hal::RecordId id) override { return told(storage_.erase(id)); }

  private:
    Status told(Status done) {
        if (done.has_value() == !is_failing_) return done;
        is_failing_ = !done;
        if (done) {
            log_.line("the state folder can be written again");
        } else {
            log_.line(std::string{"the state folder cannot be written"} +
                      (done.error() == Error::NoSpace ? ": there is no room. " : ". ") +
                      "Commands are refused until it can; nothing that was stored is lost. "
                      "Check the disk");
        }
        return done;
    }

    hal::Storage& storage_;
    Log& log_;
    bool is_failing_ = false;
};

}  // namespace sotto::device
