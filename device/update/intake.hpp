// SPDX-License-Identifier: Apache-2.0
// Takes an image into the slot that is free, in pieces as they come, over power cuts
// (docs/formats/update.md). No allocation; blocks while the flash is written. The image is never in
// RAM: its pieces go to flash at once.
#pragma once

#include <optional>

#include "core/hal/storage.hpp"
#include "core/update/manifest.hpp"
#include "device/boot/layout.hpp"
#include "ports/flash/flash.hpp"

namespace sotto::update {

inline constexpr hal::RecordId kPublisherRecord{0x0481};
inline constexpr hal::RecordId kIntakeRecord{0x0482};

// Whose updates the device takes. Error::NotFound: nobody's; Malformed, StorageFailed.
Result<crypto::DhPublicKey> load_publisher(hal::Storage& storage);
Status store_publisher(hal::Storage& storage, const crypto::DhPublicKey& publisher);

class Intake {
  public:
    struct Setup {
        hal::Storage& storage;
        ports::Flash& target;  // all of the slot
        boot::Slot slot;
    };
    explicit Intake(const Setup& setup) : setup_(setup) {}

    // Finds what was begun before power went; call it once, first.
    void start();

    // Begins with this image, and forgets a former one; goes on with it if it is the same.
    // Error::TooLarge: it does not fit; Error::StorageFailed.
    Status begin(std::uint32_t version, const Image& image);
    // Takes the bytes from this offset on; those that are here already are left alone.
    // Error::NotFound: nothing was begun; Error::WrongState: some are missing before them;
    // Error::InvalidArgument: they are not whole words, or beyond the end; Error::StorageFailed.
    Status take(std::uint32_t offset, Bytes bytes);
    // All of it has come and is what was announced. Error::NotFound; Error::Truncated: some are
    // missing; Error::Malformed: it is something else, and has been forgotten.
    Status check();

    // Of the image under way; 0: there is none.
    std::uint32_t version() const { return version_; }
    std::uint32_t size() const { return size_; }
    // So many of its bytes are here.
    std::uint32_t taken() const { return taken_; }

  private:
    struct Record {
        std::uint32_t version = 0;
        Image image;
    };
    std::optional<Record> load() const;
    Status store(const Record& record);
    Status forget();
    std::uint32_t find_end() const;

    Setup setup_;
    std::uint32_t version_ = 0;
    std::uint32_t size_ = 0;
    std::uint32_t taken_ = 0;
};

}  // namespace sotto::update
