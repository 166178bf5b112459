// SPDX-License-Identifier: Apache-2.0
// hal::Storage in a folder (docs/formats/state_folder.md): one journal, one write and one fdatasync
// per store. One process at a time. Allocates; every call may block on the disk. Records stay in
// the file alone; buffers that held them are wiped.
#pragma once

#include "core/hal/storage.hpp"
#include "ports/linux/file.hpp"
#include "ports/linux/journal.hpp"

namespace sotto::ports {

class FileStorage final : public hal::Storage {
  public:
    // Opens or creates the folder. Error::Busy while another process holds it, Error::Malformed if
    // the journal is damaged (it is left as it is), Error::StorageFailed, Error::Refused.
    static Outcome<FileStorage> open(const std::string& path);

    // Whether the folder was copied, restored or moved to another machine since it was last
    // adopted. Sessions in it may have gone on elsewhere: erase them, then adopt().
    bool is_copy() const { return is_copy_; }
    Status adopt();
    // Erases every record, and adopts what is left: nothing.
    Status clear();

    Result<std::size_t> load(hal::RecordId id, MutBytes out) override;
    // Error::NoSpace also over journal::kRecordSizeMax. After a write that failed the next store
    // begins a new file with all that was stored before; until that works nothing is stored.
    Status store(hal::RecordId id, Bytes record) override;
    // Rewrites the journal and overwrites the old one, so that an erased key is in neither.
    Status erase(hal::RecordId id) override;

  private:
    using Records = std::map<hal::RecordId, journal::Place>;

    FileStorage(File folder, File lock) : folder_(std::move(folder)), lock_(std::move(lock)) {}

    Outcome<> open_journal(const std::string& path);
    Status append(const journal::Entry& entry);
    Status rewrite(const Records& kept);
    Result<Records> copy_entries(const Records& kept, MutBytes out) const;
    Result<journal::Entry> read_entry(hal::RecordId id, journal::Place place, MutBytes out) const;
    void scrub() const;

    File folder_;
    File lock_;
    File journal_;
    Records records_;
    journal::Origin origin_{};
    std::uint32_t entry_count_ = 0;
    std::size_t end_ = 0;       // of the entries
    std::size_t capacity_ = 0;  // the size of the file
    bool is_copy_ = false;
    bool is_broken_ = false;
};

}  // namespace sotto::ports
