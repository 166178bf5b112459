// SPDX-License-Identifier: Apache-2.0
#include "ports/linux/file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace sotto::ports {
namespace {

constexpr std::size_t kPiece = 65'536;  // read at a time, of what does not say its size

std::string temporary_name(const std::string& name) { return name + ".new"; }

// Creates one folder, 0700, so that it is still there after a power cut.
bool create_folder(const std::filesystem::path& path) {
    if (::mkdir(path.c_str(), 0700) != 0) return errno == EEXIST;
    const File parent{::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    return parent.is_open() && ::fsync(parent.descriptor()) == 0;
}

bool create_folders(const std::filesystem::path& path) {
    if (create_folder(path)) return true;
    if (errno != ENOENT || path == path.root_path()) return false;
    return create_folders(path.parent_path()) && create_folder(path);
}

// Gives a finished file its name, unless something has that name. False with errno set otherwise.
bool rename_to_new(const std::string& from, const std::string& to) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS) return false;
    // A file system without it.
    if (::link(from.c_str(), to.c_str()) != 0) return false;
    ::unlink(from.c_str());
    return true;
}

bool sync_folder(const std::string& path) {
    const File folder{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    return folder.is_open() && ::fsync(folder.descriptor()) == 0;
}

}  // namespace

File::~File() {
    if (is_open()) ::close(descriptor_);
}

bool File::write_at(Bytes bytes, std::uint64_t offset) const {
    while (!bytes.empty()) {
        const ssize_t count =
            ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        bytes = bytes.subspan(static_cast<std::size_t>(count));
        offset += static_cast<std::uint64_t>(count);
    }
    return true;
}

Result<std::size_t> File::read_at(MutBytes out, std::uint64_t offset) const {
    std::size_t size = 0;
    while (size < out.size()) {
        const ssize_t count = ::pread(
            descriptor_, out.data() + size, out.size() - size, static_cast<off_t>(offset + size));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return Error::StorageFailed;
        if (count == 0) break;
        size += static_cast<std::size_t>(count);
    }
    return size;
}

bool File::sync() const { return ::fdatasync(descriptor_) == 0; }

Outcome<File> open_private_folder(const std::string& path) {
    const auto whole = std::filesystem::absolute(path + "/.").lexically_normal().parent_path();
    if (!create_folders(whole))
        return system_failure(Error::StorageFailed, "cannot create the folder " + path);
    File folder{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    struct stat status{};
    if (!folder.is_open() || ::fstat(folder.descriptor(), &status) != 0)
        return system_failure(Error::StorageFailed, "cannot open the folder " + path);
    if ((status.st_mode & S_IWOTH) != 0)
        return Failure{Error::Refused,
                       "everybody may write into the folder " + path +
                           ": choose another, or take the right away with chmod o-w"};
    return folder;
}

Outcome<std::vector<std::uint8_t>> read_file(const std::string& path, std::size_t size_max) {
    const File file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file.is_open())
        return system_failure(errno == ENOENT ? Error::NotFound : Error::StorageFailed,
                              "cannot open " + path);
    // A pipe does not say how much it has.
    struct stat status{};
    const bool is_known = ::fstat(file.descriptor(), &status) == 0 && S_ISREG(status.st_mode);
    const std::size_t expected = is_known ? static_cast<std::size_t>(status.st_size) : kPiece;
    std::vector<std::uint8_t> content(std::min(size_max, expected) + 1);
    std::size_t size = 0;
    while (true) {
        const ssize_t read =
            ::read(file.descriptor(), content.data() + size, content.size() - size);
        if (read < 0 && errno == EINTR) continue;
        if (read < 0) return system_failure(Error::StorageFailed, "cannot read " + path);
        if (read == 0) break;
        size += static_cast<std::size_t>(read);
        if (size > size_max)
            return Failure{Error::TooLarge, path + " is larger than such a file can be"};
        if (size == content.size()) content.resize(std::min(size_max, size + kPiece) + 1);
    }
    content.resize(size);
    return content;
}

Error write_error() {
    return errno == ENOSPC || errno == EDQUOT ? Error::NoSpace : Error::StorageFailed;
}

Result<File> create_temporary(const File& folder, const std::string& name) {
    remove_temporary(folder, name);
    File file{::openat(folder.descriptor(),
                       temporary_name(name).c_str(),
                       O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                       0600)};
    if (!file.is_open()) return write_error();
    return file;
}

Status put_in_place(const File& folder, const std::string& name) {
    const std::string temporary = temporary_name(name);
    const int descriptor = folder.descriptor();
    if (::renameat(descriptor, temporary.c_str(), descriptor, name.c_str()) != 0)
        return write_error();
    if (::fsync(descriptor) != 0) return Error::StorageFailed;
    return {};
}

void remove_temporary(const File& folder, const std::string& name) {
    ::unlinkat(folder.descriptor(), temporary_name(name).c_str(), 0);
}

Status replace_file(const File& folder, const std::string& name, Bytes content) {
    SOTTO_TRY_ASSIGN(const File file, create_temporary(folder, name));
    if (!file.write_at(content, 0) || !file.sync()) return write_error();
    return put_in_place(folder, name);
}

Outcome<> create_file(const std::string& path, Bytes content) {
    const auto parent = std::filesystem::path{path}.parent_path();
    const std::string folder = parent.empty() ? "." : parent.string();
    std::string temporary = folder + "/.sotto-XXXXXX";
    const File file{::mkostemp(temporary.data(), O_CLOEXEC)};
    if (!file.is_open()) return system_failure(write_error(), "cannot write in " + folder);
    const bool is_written = file.write_at(content, 0) && file.sync();
    if (is_written && rename_to_new(temporary, path) && sync_folder(folder)) return {};
    const Error error = errno == EEXIST ? Error::AlreadyExists : write_error();
    const Failure failure = system_failure(error, "cannot create " + path);
    ::unlink(temporary.c_str());
    return failure;
}

}  // namespace sotto::ports
