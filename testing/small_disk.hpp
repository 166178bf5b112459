// SPDX-License-Identifier: Apache-2.0
// A disk that can be full: a tmpfs over a folder, in a mount namespace of this process and of those
// that it starts. Linux alone, and only where a user may have such namespaces, or is root.
#pragma once

#include <cstddef>
#include <string>

namespace sotto::testing {

class SmallDisk {
  public:
    // Whether there can be one. The first call enters the namespaces: before there is any thread.
    static bool is_possible();

    // Covers an existing folder until it goes. Precondition: is_possible().
    SmallDisk(const std::string& folder, std::size_t size);
    ~SmallDisk();
    SmallDisk(const SmallDisk&) = delete;
    SmallDisk& operator=(const SmallDisk&) = delete;

    // Takes all the room there is, and gives it back.
    void fill() const;
    void make_room() const;

  private:
    std::string folder_;
    std::string filler_;
};

}  // namespace sotto::testing
