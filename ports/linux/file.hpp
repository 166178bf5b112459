// SPDX-License-Identifier: Apache-2.0
// Files and folders with the care that keys need: 0600 and 0700, no symbolic links followed at the
// end of a path, nothing inherited by child processes. Allocates; every call may block on the disk.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "core/base/bytes.hpp"
#include "ports/linux/failure.hpp"

namespace sotto::ports {

// Owns a file descriptor.
class File {
  public:
    File() = default;
    explicit File(int descriptor) : descriptor_(descriptor) {}
    File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
    File& operator=(File&& other) noexcept {
        std::swap(descriptor_, other.descriptor_);
        return *this;
    }
    ~File();

    bool is_open() const { return descriptor_ >= 0; }
    int descriptor() const { return descriptor_; }

    // All of `bytes` at `offset`; false with errno set otherwise.
    bool write_at(Bytes bytes, std::uint64_t offset) const;
    // As many bytes as there are, up to out.size().
    Result<std::size_t> read_at(MutBytes out, std::uint64_t offset) const;
    // Whether what was written has reached the disk.
    bool sync() const;

  private:
    int descriptor_ = -1;
};

// Opens or creates a folder for one user's state, 0700, its parents too. Error::StorageFailed if
// that fails, Error::Refused if anybody may write into it.
Outcome<File> open_private_folder(const std::string& path);

// The content of a file. Error::NotFound, Error::TooLarge over `size_max`, Error::StorageFailed.
Outcome<std::vector<std::uint8_t>> read_file(const std::string& path, std::size_t size_max);

// Replacing a file in two steps, so that after a failure or a power cut at any moment the file has
// its old or its new content: create a temporary one (0600), write and sync it, put it in place.
// Error::NoSpace, Error::StorageFailed.
Result<File> create_temporary(const File& folder, const std::string& name);
Status put_in_place(const File& folder, const std::string& name);
// What create_temporary() left behind in a run that was cut short; nothing if there is none.
void remove_temporary(const File& folder, const std::string& name);

// Both steps at once. After success the content is on the disk.
Status replace_file(const File& folder, const std::string& name, Bytes content);

// Creates a file of the user's choice (0600), all of it at once or not at all.
// Error::AlreadyExists, and what is there stays; Error::NoSpace, Error::StorageFailed.
Outcome<> create_file(const std::string& path, Bytes content);

// What errno says about a failed write: Error::NoSpace or Error::StorageFailed.
Error write_error();

}  // namespace sotto::ports
