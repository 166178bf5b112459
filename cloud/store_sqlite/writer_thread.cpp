// SPDX-License-Identifier: Apache-2.0
#include "cloud/store_sqlite/writer_thread.hpp"

#include <algorithm>

namespace sotto::cloud::store_sqlite {

WriterThread::WriterThread(std::unique_ptr<Database> database, store::Executor executor)
    : database_(std::move(database)), executor_(std::move(executor)), thread_([this] { work(); }) {}

WriterThread::~WriterThread() {
    {
        const std::scoped_lock lock{mutex_};
        stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
}

void WriterThread::submit(std::unique_ptr<Operation> operation) {
    {
        const std::scoped_lock lock{mutex_};
        if (queue_.size() < kQueueMax) {
            queue_.push_back(std::move(operation));
            if (queue_.size() == 1) changed_.notify_one();
            return;
        }
    }
    operation->fail(Error::Busy);
    Batch refused;
    refused.push_back(std::move(operation));
    post(std::move(refused));
}

void WriterThread::work() {
    while (true) {
        Batch batch = take_batch();
        if (batch.empty()) return;
        run_batch(std::move(batch));
    }
}

WriterThread::Batch WriterThread::take_batch() {
    std::unique_lock lock{mutex_};
    changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    Batch batch;
    while (!queue_.empty() && batch.size() < kBatchMax) {
        batch.push_back(std::move(queue_.front()));
        queue_.pop_front();
    }
    return batch;
}

void WriterThread::run_batch(Batch batch) {
    const Status status = run_or_undo(batch);
    // A damaged page is met by those who need it: the others of the batch go without them.
    const bool is_damage = !status && status.error() == Error::Malformed && batch.size() > 1;
    for (std::size_t i = 0; is_damage && i < batch.size(); ++i)
        static_cast<void>(run_or_undo(Operations{batch}.subspan(i, 1)).has_value());
    post(std::move(batch));
}

Status WriterThread::run_or_undo(Operations batch) {
    const auto begin = std::chrono::steady_clock::now();
    const Status status = run_transaction(batch);
    count(batch, status.has_value(), std::chrono::steady_clock::now() - begin);
    if (status) return {};
    // Undoing may fail where the error has undone everything already.
    static_cast<void>(database_->execute("ROLLBACK").has_value());
    for (const auto& operation : batch) operation->fail(Error::StorageFailed);
    return status;
}

Status WriterThread::run_transaction(Operations batch) {
    const bool writes =
        std::ranges::any_of(batch, [](const auto& operation) { return operation->writes(); });
    SOTTO_TRY(writes ? database_->query("BEGIN IMMEDIATE").run() : database_->query("BEGIN").run());
    for (const auto& operation : batch) SOTTO_TRY(operation->run(*database_));
    return database_->query("COMMIT").run();
}

void WriterThread::count(Operations batch, bool is_done, std::chrono::steady_clock::duration time) {
    const bool writes =
        std::ranges::any_of(batch, [](const auto& operation) { return operation->writes(); });
    const auto us = std::chrono::duration_cast<std::chrono::microseconds>(time).count();
    const std::scoped_lock lock{mutex_};
    statistics_.operations += batch.size();
    if (!is_done) ++statistics_.failures;
    if (is_done && writes) statistics_.count_commit(static_cast<std::uint64_t>(us));
}

store::Statistics WriterThread::statistics() {
    const std::scoped_lock lock{mutex_};
    store::Statistics now = statistics_;
    now.queue = queue_.size();
    return now;
}

void WriterThread::post(Batch batch) {
    // std::function wants to be copied.
    auto shared = std::make_shared<Batch>(std::move(batch));
    executor_([shared] {
        for (const auto& operation : *shared) operation->answer();
    });
}

}  // namespace sotto::cloud::store_sqlite
