// SPDX-License-Identifier: Apache-2.0
#include "ports/linux/file_storage.hpp"

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/secret.hpp"
#include "core/base/writer.hpp"
#include "core/crypto/hash.hpp"

namespace sotto::ports {
namespace {

constexpr const char* kJournalName = "journal";
constexpr const char* kLockName = "lock";

// Bytes that held records.
class Buffer {
  public:
    explicit Buffer(std::size_t size) : bytes_(size) {}
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() { wipe(bytes_); }
    MutBytes bytes() { return bytes_; }

  private:
    std::vector<std::uint8_t> bytes_;
};

std::string holder_of(const File& lock) {
    std::array<std::uint8_t, 16> text{};
    const auto size = lock.read_at(text, 0);
    if (!size || *size == 0) return "another process";
    return "process " + std::string{as_text(Bytes{text}.first(*size))};
}

Outcome<File> lock_folder(const File& folder, const std::string& path) {
    File lock{
        ::openat(folder.descriptor(), kLockName, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600)};
    if (!lock.is_open())
        return system_failure(Error::StorageFailed, "cannot open " + path + "/" + kLockName);
    if (::flock(lock.descriptor(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return system_failure(Error::StorageFailed, "cannot lock " + path);
        return Failure{Error::Busy,
                       path + " is in use by " + holder_of(lock) +
                           ": stop that first, or name another folder"};
    }
    const std::string pid = std::to_string(::getpid());
    if (::ftruncate(lock.descriptor(), 0) != 0 || !lock.write_at(as_bytes(pid), 0))
        return system_failure(Error::StorageFailed, "cannot write " + path + "/" + kLockName);
    return lock;
}

// A copy of the file gets another inode and time of birth, another machine has another id.
Result<journal::Origin> origin_of(const File& file) {
    struct statx status{};
    if (::statx(file.descriptor(), "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &status) != 0)
        return Error::StorageFailed;
    std::array<std::uint8_t, 20> numbers{};
    Writer{numbers}
        .u64_be(status.stx_ino)
        .u64_be(static_cast<std::uint64_t>(status.stx_btime.tv_sec))
        .u32_be(status.stx_btime.tv_nsec);
    const auto machine = read_file("/etc/machine-id", 256);
    const crypto::Hash hash = crypto::sha256(numbers, machine ? Bytes{*machine} : Bytes{});
    journal::Origin origin{};
    std::copy_n(hash.begin(), origin.size(), origin.begin());
    return origin;
}

// Room for the entries and, below the limit, for as many again.
std::size_t capacity_for(std::size_t size) {
    return std::min((2 * size / journal::kSizeStep + 1) * journal::kSizeStep, journal::kSizeMax);
}

}  // namespace

Outcome<FileStorage> FileStorage::open(const std::string& path) {
    SOTTO_TRY_ASSIGN(File folder, open_private_folder(path));
    SOTTO_TRY_ASSIGN(File lock, lock_folder(folder, path));
    FileStorage storage{std::move(folder), std::move(lock)};
    SOTTO_TRY(storage.open_journal(path + "/" + kJournalName));
    return storage;
}

Outcome<> FileStorage::open_journal(const std::string& path) {
    remove_temporary(folder_, kJournalName);
    journal_ = File{::openat(folder_.descriptor(), kJournalName, O_RDWR | O_NOFOLLOW | O_CLOEXEC)};
    if (!journal_.is_open()) {
        if (errno != ENOENT) return system_failure(Error::StorageFailed, "cannot open " + path);
        if (!rewrite({})) return system_failure(Error::StorageFailed, "cannot create " + path);
        return {};
    }
    Buffer content{journal::kSizeMax + 1};
    const auto size = journal_.read_at(content.bytes(), 0);
    if (!size) return system_failure(Error::StorageFailed, "cannot read " + path);
    auto contents = journal::scan(content.bytes().first(*size));
    if (*size > journal::kSizeMax || !contents)
        return Failure{Error::Malformed,
                       path +
                           " is damaged and was left as it is: put back a copy of it, or move "
                           "it away to begin anew"};
    records_ = std::move(contents->records);
    origin_ = contents->origin;
    entry_count_ = contents->entry_count;
    end_ = contents->end;
    capacity_ = *size;
    const auto origin = origin_of(journal_);
    is_copy_ = !origin || *origin != origin_;
    if (::fsync(folder_.descriptor()) != 0 || (!contents->is_clean && !rewrite(records_)))
        return system_failure(Error::StorageFailed, "cannot write " + path);
    return {};
}

Result<std::size_t> FileStorage::load(hal::RecordId id, MutBytes out) {
    const auto found = records_.find(id);
    if (found == records_.end()) return Error::NotFound;
    Buffer buffer{found->second.size};
    SOTTO_TRY_ASSIGN(const journal::Entry entry, read_entry(id, found->second, buffer.bytes()));
    if (entry.record.size() > out.size()) return Error::NoSpace;
    std::copy(entry.record.begin(), entry.record.end(), out.begin());
    return entry.record.size();
}

Status FileStorage::store(hal::RecordId id, Bytes record) {
    if (record.size() > journal::kRecordSizeMax) return Error::NoSpace;
    // What a failed write has left is not known: a new file is, and has all that was stored.
    if (is_broken_) SOTTO_TRY(rewrite(records_));
    if (journal::entry_size(record.size()) > capacity_ - end_) SOTTO_TRY(rewrite(records_));
    if (journal::entry_size(record.size()) > capacity_ - end_) return Error::NoSpace;
    return append({.id = id, .number = entry_count_, .record = record});
}

Status FileStorage::append(const journal::Entry& entry) {
    Buffer buffer{journal::entry_size(entry.record.size())};
    journal::encode_entry(entry, journal::Mark::Written, buffer.bytes());
    if (!journal_.write_at(buffer.bytes(), end_) || !journal_.sync()) {
        const Error why = write_error();
        is_broken_ = true;  // the kernel may have dropped the bytes: only the disk knows now
        return why;
    }
    // Not synced: it travels with the next store. It tells damage from a torn tail, see the format.
    constexpr auto kMark = static_cast<std::uint8_t>(journal::Mark::Committed);
    is_broken_ = !journal_.write_at(Bytes{&kMark, 1}, end_ + journal::kMarkOffset);
    records_[entry.id] = {.offset = end_, .size = buffer.bytes().size()};
    end_ += buffer.bytes().size();
    ++entry_count_;
    return {};
}

Status FileStorage::erase(hal::RecordId id) {
    if (!records_.contains(id)) return {};
    Records kept = records_;
    kept.erase(id);
    return rewrite(kept);
}

Status FileStorage::adopt() {
    is_copy_ = false;
    const Status done = rewrite(records_);
    is_copy_ = !done;
    return done;
}

Status FileStorage::clear() {
    const bool was_copy = is_copy_;
    is_copy_ = false;
    const Status done = rewrite({});
    if (!done) is_copy_ = was_copy;
    return done;
}

Status FileStorage::rewrite(const Records& kept) {
    std::size_t size = journal::kHeaderSize;
    for (const auto& [id, place] : kept) size += place.size;
    const std::size_t capacity = capacity_for(size);
    SOTTO_ASSERT(size <= capacity);  // it came out of a journal
    SOTTO_TRY_ASSIGN(File file, create_temporary(folder_, kJournalName));
    SOTTO_TRY_ASSIGN(const journal::Origin own_origin, origin_of(file));
    const journal::Origin origin = is_copy_ ? origin_ : own_origin;

    Buffer buffer{capacity};
    journal::encode_header(origin, buffer.bytes().first(journal::kHeaderSize));
    SOTTO_TRY_ASSIGN(Records records,
                     copy_entries(kept, buffer.bytes().subspan(journal::kHeaderSize)));
    if (!file.write_at(buffer.bytes(), 0) || !file.sync()) return write_error();
    const Status placed = put_in_place(folder_, kJournalName);
    is_broken_ = !placed;  // either file may be the one that is there after a power cut
    SOTTO_TRY(placed);
    scrub();
    journal_ = std::move(file);
    records_ = std::move(records);
    origin_ = origin;
    entry_count_ = static_cast<std::uint32_t>(records_.size());
    end_ = size;
    capacity_ = capacity;
    return {};
}

// Writes what is kept to the front of `out`, numbered anew; says where each is in the new journal.
Result<FileStorage::Records> FileStorage::copy_entries(const Records& kept, MutBytes out) const {
    Records records;
    std::size_t offset = 0;
    for (const auto& [id, place] : kept) {
        Buffer buffer{place.size};
        SOTTO_TRY_ASSIGN(journal::Entry entry, read_entry(id, place, buffer.bytes()));
        entry.number = static_cast<std::uint32_t>(records.size());
        journal::encode_entry(entry, journal::Mark::Committed, out.subspan(offset, place.size));
        records[id] = {.offset = journal::kHeaderSize + offset, .size = place.size};
        offset += place.size;
    }
    return records;
}

Result<journal::Entry> FileStorage::read_entry(hal::RecordId id,
                                               journal::Place place,
                                               MutBytes out) const {
    SOTTO_TRY(journal_.read_at(out, place.offset));
    const auto entry = journal::parse_entry(out);
    if (!entry || entry->id != id) return Error::StorageFailed;  // damaged since it was opened
    return *entry;
}

// Overwrites the journal that has just been replaced: best effort, flash may keep old blocks.
void FileStorage::scrub() const {
    if (!journal_.is_open()) return;
    const std::vector<std::uint8_t> zeros(end_);
    if (journal_.write_at(zeros, 0)) static_cast<void>(journal_.sync());
}

}  // namespace sotto::ports
