// SPDX-License-Identifier: Apache-2.0
#include "testing/small_disk.hpp"

#include <array>
#include <fcntl.h>
#include <sched.h>
#include <stdexcept>
#include <sys/mount.h>
#include <unistd.h>

namespace sotto::testing {
namespace {

bool write_to(const char* path, const std::string& text) {
    const int file = ::open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return false;
    const bool is_done =
        ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    ::close(file);
    return is_done;
}

// Where only root may mount, this process becomes root of a world of its own.
bool enter_namespaces() {
    const std::string user = std::to_string(::geteuid());
    const std::string group = std::to_string(::getegid());
    if (::geteuid() != 0) {
        if (::unshare(CLONE_NEWUSER) != 0) return false;
        if (!write_to("/proc/self/setgroups", "deny")) return false;
        if (!write_to("/proc/self/uid_map", "0 " + user + " 1")) return false;
        if (!write_to("/proc/self/gid_map", "0 " + group + " 1")) return false;
    }
    if (::unshare(CLONE_NEWNS) != 0) return false;
    return ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

}  // namespace

bool SmallDisk::is_possible() {
    static const bool is_there = enter_namespaces();
    return is_there;
}

SmallDisk::SmallDisk(const std::string& folder, std::size_t size)
    : folder_(folder), filler_(folder + "/filler") {
    const std::string options = "mode=0700,size=" + std::to_string(size);
    if (::mount("tmpfs", folder.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, options.c_str()) != 0)
        throw std::runtime_error("no small disk over " + folder);
}

SmallDisk::~SmallDisk() { ::umount2(folder_.c_str(), MNT_DETACH); }

void SmallDisk::fill() const {
    const int file = ::open(filler_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0) throw std::runtime_error("no room for the filler in " + folder_);
    const std::array<char, 4'096> block{};
    while (::write(file, block.data(), block.size()) > 0) {
    }
    ::close(file);
}

void SmallDisk::make_room() const { ::unlink(filler_.c_str()); }

}  // namespace sotto::testing
