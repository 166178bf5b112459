// SPDX-License-Identifier: Apache-2.0
// All webhooks of all users: which of them an event triggers, whose turn it is, what is tried again
// and when a host is left alone. Sans-I/O: events, answers and the time come in; requests to send
// and events to publish come out. What one account does, fills the queues of no other. Allocates;
// never blocks.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "cloud/hooks/breaker.hpp"
#include "cloud/hooks/limits.hpp"
#include "cloud/hooks/request.hpp"
#include "cloud/services/event_ring.hpp"
#include "core/base/token_bucket.hpp"

namespace sotto::cloud::hooks {

// One try of one hook on one event.
using JobId = Strong<std::uint64_t, struct JobIdTag>;

// Send this, and tell on_sent() and on_answered().
struct Send {
    JobId job;
    model::AccountId account;
    WebRequest request;
};
// Publish this to the account.
struct Say {
    model::AccountId account;
    services::Publication what;
};
using Output = std::variant<Send, Say>;

// Why there is no response, in words that go behind the name of the host.
struct Failure {
    std::string text;
    bool is_final = false;  // to be tried again it makes no sense
};
using Answer = std::variant<WebResponse, Failure>;

// What became of a hook of late: since the cloud runs.
struct Activity {
    std::uint64_t sent = 0;
    std::uint64_t succeeded = 0;
    std::uint64_t failed = 0;   // tries
    std::uint64_t skipped = 0;  // tries, because its host rested
    std::uint64_t dropped = 0;  // events that it will never get
    std::string last_error{};
    Instant last_error_at{};
};

// A hook as it is kept here.
struct KnownHook {
    Hook hook;
    std::string definition;  // JSON
    Activity activity{};
};

struct Totals {
    std::size_t hooks = 0;
    std::size_t waiting = 0;
    std::size_t active = 0;
    std::uint64_t succeeded = 0;
    std::uint64_t failed = 0;
    std::uint64_t dropped = 0;
};

class Dispatcher {
  public:
    struct Config {
        // Of a device that is connected.
        std::function<Product(model::AccountId, const model::DeviceId&)> product_of{};
        // There is something to take from next(). Comes from within calls: do no more than begin.
        std::function<void()> on_work{};
    };
    Dispatcher() = default;
    explicit Dispatcher(Config config) : config_(std::move(config)) {}
    Dispatcher(const Dispatcher&) = delete;
    Dispatcher& operator=(const Dispatcher&) = delete;

    // A hook that is there from now on, also in the place of one with its id. False: its definition
    // is none, and nothing was done.
    bool set_hook(const model::HookRecord& record);
    // What waits for it is forgotten.
    void erase_hook(model::AccountId account, const model::HookId& id);
    // Nothing where it is not one of the account. Valid until the next call.
    const KnownHook* find(model::AccountId account, const model::HookId& id) const;
    // In the order of their coming.
    std::vector<const KnownHook*> list(model::AccountId account) const;

    void on_event(const services::EventPtr& event, Instant now);
    // This event for this hook, whatever it takes. Error::NotFound, or Error::Busy: too much waits.
    Status try_hook(model::AccountId account,
                    const model::HookId& id,
                    services::EventPtr event,
                    Instant now);

    void on_sent(JobId job);
    void on_answered(JobId job, const Answer& answer, Instant now);
    void on_time(Instant now);
    // To be called until it answers nothing.
    std::optional<Output> next(Instant now);

    const Totals& totals() const { return totals_; }

  private:
    struct Job {
        model::HookId hook;
        services::EventPtr event;
        Product product;
        std::size_t retries = 0;
    };
    // What one account has to do with one host.
    struct Lane {
        model::AccountId account;
        std::string host;
        std::deque<Job> waiting{};
        std::size_t active = 0;
        bool is_in_turn = false;
        Breaker breaker{};
        Instant used_at{};
    };
    using LaneKey = std::pair<model::AccountId, std::string>;
    struct Account {
        std::vector<std::unique_ptr<KnownHook>> hooks{};
        std::size_t waiting = 0;  // jobs in its lanes, and those to be tried again
        std::size_t active = 0;
        std::vector<Lane*> held{};  // would have their turn but for `active`
        TokenBucket errors{kErrorEventRate};
    };
    struct ActiveJob {
        Job job;
        Lane* lane;
    };
    struct Retry {
        model::AccountId account;
        Job job;
    };

    KnownHook* find_mutable(model::AccountId account, const model::HookId& id);
    bool enqueue(Account& account, KnownHook& known, Job job, Instant now);
    void give_turn(Lane& lane);
    std::optional<Send> take_turn(Lane& lane, Instant now);
    std::optional<Send> begin(Lane& lane, Account& account, KnownHook& known, Job job, Instant now);
    static void note_host(Lane& lane, const Answer& answer, bool is_good, Instant now);
    static Failure failure_of(const Hook& hook, const Answer& answer);
    void finish(
        Account& account, KnownHook& known, Job job, const WebResponse& response, Instant now);
    void fail(Account& account, KnownHook& known, Job job, const Failure& failure, Instant now);
    void complain(
        Account& account, KnownHook& known, const Job& job, const std::string& text, Instant now);
    void say(const Hook& hook, services::Publication what);
    void sweep(Instant now);
    void ask_for_work() {
        if (config_.on_work) config_.on_work();
    }

    Config config_;
    std::unordered_map<model::AccountId, Account, model::IdHash> accounts_;
    std::map<LaneKey, Lane> lanes_;
    std::deque<Lane*> turns_;
    std::multimap<Instant, Retry> retries_;
    std::unordered_map<JobId, ActiveJob, model::IdHash> active_;
    std::deque<Say> says_;
    std::uint64_t last_job_ = 0;
    Instant swept_at_{};
    Totals totals_;
};

}  // namespace sotto::cloud::hooks
