// SPDX-License-Identifier: Apache-2.0
#include "testing/memory_storage.hpp"

#include <algorithm>

namespace sotto::testing {

void MemoryStorage::arm(std::size_t index, std::optional<Cut> cut) {
    write_count_ = 0;
    fault_index_ = index;
    cut_ = cut;
}

void MemoryStorage::reboot() {
    write_count_ = 0;
    fault_index_.reset();
    cut_.reset();
    is_cut_ = false;
    loads_fail_ = false;
    is_full_ = false;
}

MemoryStorage::Verdict MemoryStorage::next_write() {
    if (is_cut_) return {false, Error::StorageFailed};
    if (is_full_) return {false, Error::NoSpace};
    if (write_count_++ != fault_index_) return {true, {}};
    is_cut_ = cut_.has_value();
    return {cut_ == Cut::New, Error::StorageFailed};
}

Result<std::size_t> MemoryStorage::load(hal::RecordId id, MutBytes out) {
    if (is_cut_ || loads_fail_) return Error::StorageFailed;
    const auto found = records_.find(id);
    if (found == records_.end()) return Error::NotFound;
    if (found->second.size() > out.size()) return Error::NoSpace;
    std::copy(found->second.begin(), found->second.end(), out.begin());
    return found->second.size();
}

Status MemoryStorage::store(hal::RecordId id, Bytes record) {
    const Verdict verdict = next_write();
    if (verdict.takes_place) records_[id] = {record.begin(), record.end()};
    return verdict.answer;
}

Status MemoryStorage::erase(hal::RecordId id) {
    const Verdict verdict = next_write();
    if (verdict.takes_place) records_.erase(id);
    return verdict.answer;
}

}  // namespace sotto::testing
