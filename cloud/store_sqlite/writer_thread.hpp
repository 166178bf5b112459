// SPDX-License-Identifier: Apache-2.0
// The one thread that works on the database. It takes what has been queued, runs it in one
// transaction, and posts all answers after the commit: group commit, so that the price of a flush
// is shared by everybody who waits for one.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "cloud/store/statistics.hpp"
#include "cloud/store/store.hpp"
#include "cloud/store_sqlite/database.hpp"

namespace sotto::cloud::store_sqlite {

inline constexpr std::size_t kBatchMax = 256;    // operations in one transaction
inline constexpr std::size_t kQueueMax = 8'192;  // operations that wait; then Error::Busy

class Operation {
  public:
    explicit Operation(bool writes) : writes_(writes) {}
    virtual ~Operation() = default;
    bool writes() const { return writes_; }

    // On the writer's thread. An error undoes the whole transaction.
    virtual Status run(Database& database) = 0;
    // The answer becomes this error, whatever run() said.
    virtual void fail(Error error) = 0;
    // On the owner's thread, once.
    virtual void answer() = 0;

  private:
    bool writes_;
};

class WriterThread {
  public:
    WriterThread(std::unique_ptr<Database> database, store::Executor executor);
    WriterThread(const WriterThread&) = delete;
    WriterThread& operator=(const WriterThread&) = delete;
    // Works off what is queued.
    ~WriterThread();

    void submit(std::unique_ptr<Operation> operation);
    // May be called from any thread.
    store::Statistics statistics();

  private:
    using Batch = std::vector<std::unique_ptr<Operation>>;
    using Operations = std::span<const std::unique_ptr<Operation>>;

    void work();
    Batch take_batch();
    void run_batch(Batch batch);
    Status run_or_undo(Operations batch);
    Status run_transaction(Operations batch);
    void count(Operations batch, bool is_done, std::chrono::steady_clock::duration time);
    void post(Batch batch);

    std::unique_ptr<Database> database_;
    store::Executor executor_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::unique_ptr<Operation>> queue_;
    store::Statistics statistics_;
    bool stopping_ = false;
    std::thread thread_;  // last: it uses the others
};

}  // namespace sotto::cloud::store_sqlite
