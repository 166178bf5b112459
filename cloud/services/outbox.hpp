// SPDX-License-Identifier: Apache-2.0
// Records on their way to one socket. The owner of the socket takes all of them at once, by a swap
// of buffers, so that a turn of its loop costs one write and the buffers are used again.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/bytes.hpp"

namespace sotto::cloud::services {

// What is taken: the records one after another, and where each ends.
struct Output {
    std::vector<std::uint8_t> bytes;
    std::vector<std::size_t> ends;
    bool close = false;  // nothing follows: write this and close

    void clear() {
        bytes.clear();
        ends.clear();
        close = false;
    }
};

class Outbox {
  public:
    explicit Outbox(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    // False if that is more than the reader is given time for; the record is not added.
    [[nodiscard]] bool add(Bytes record) {
        if (output_.bytes.size() + record.size() > bytes_max_) return false;
        output_.bytes.insert(output_.bytes.end(), record.begin(), record.end());
        output_.ends.push_back(output_.bytes.size());
        return true;
    }

    void take(Output& output) {
        output.clear();
        std::swap(output_, output);
    }

  private:
    std::size_t bytes_max_;
    Output output_;
};

}  // namespace sotto::cloud::services
