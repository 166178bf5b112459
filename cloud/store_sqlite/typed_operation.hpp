// SPDX-License-Identifier: Apache-2.0
// An operation of the store as the writer's thread takes it: work on the database, and an answer of
// the type that the caller waits for. Allocates.
#pragma once

#include <memory>
#include <utility>

#include "cloud/store_sqlite/sqlite_store.hpp"

namespace sotto::cloud::store_sqlite {

// The errors that the Store names: answers, found before anything was written.
inline bool is_answer(Error error) {
    return error == Error::AlreadyExists || error == Error::NotFound || error == Error::Refused ||
           error == Error::NoSpace;
}

template <class T, class Work>
class TypedOperation final : public Operation {
  public:
    TypedOperation(bool writes, store::Done<T> done, Work work)
        : Operation(writes), done_(std::move(done)), work_(std::move(work)) {}

    Status run(Database& database) override {
        result_ = work_(database);
        if (!result_ && !is_answer(result_.error())) return result_.error();
        return {};
    }
    void fail(Error error) override { result_ = error; }
    void answer() override { done_(std::move(result_)); }

  private:
    store::Done<T> done_;
    Work work_;
    Result<T> result_{Error::StorageFailed};
};

inline constexpr bool kReads = false;
inline constexpr bool kWrites = true;

template <class T, class Work>
void SqliteStore::submit(bool writes, store::Done<T> done, Work work) {
    writer_.submit(
        std::make_unique<TypedOperation<T, Work>>(writes, std::move(done), std::move(work)));
}

}  // namespace sotto::cloud::store_sqlite
