// SPDX-License-Identifier: Apache-2.0
// Sender Sequence Numbers of an OSCORE context that is used again and again: reserved in blocks on
// the disk before use, under an inter-process lock (RFC 8613 B.1.1). Allocates; blocks on the disk.
#pragma once

#include "app/client/oscore_client.hpp"
#include "core/oscore/sender_sequence.hpp"
#include "ports/linux/file_storage.hpp"

namespace sotto::app {

class StoredSequenceNumbers final : public SequenceNumbers {
  public:
    enum class Known { Before, New };
    // Trouble::State: somebody else uses the context, the disk fails, or nothing is known of a
    // context that is not said to be new.
    static Outcome<StoredSequenceNumbers> open(const std::string& folder, Known known);

    Outcome<oscore::Piv> take() override;

  private:
    StoredSequenceNumbers(ports::FileStorage storage, oscore::Piv reserved)
        : storage_(std::move(storage)), sequence_(reserved) {}

    ports::FileStorage storage_;
    oscore::SenderSequence sequence_;
};

}  // namespace sotto::app
