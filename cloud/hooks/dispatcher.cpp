// SPDX-License-Identifier: Apache-2.0
#include "cloud/hooks/dispatcher.hpp"

#include <algorithm>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/base/assert.hpp"

namespace sotto::cloud::hooks {

using services::EventPtr;

namespace {

constexpr const char* kAsleep = "Sleeping, too many errors, please wait and try again";
constexpr const char* kTooMany =
    "Too many webhooks of this user are waiting; this one was not called";
constexpr Duration kSweepPeriod = seconds(10);

}  // namespace

bool Dispatcher::set_hook(const model::HookRecord& record) {
    auto hook = parse_hook(nlohmann::json::parse(record.definition, nullptr, false));
    if (!hook) return false;
    hook->id = record.id;
    hook->account = record.account;
    hook->created_at = record.created_at;
    hook->updated_at = record.updated_at;
    hook->product = record.product;
    if (KnownHook* const known = find_mutable(record.account, record.id)) {
        known->hook = *std::move(hook);
        known->definition = record.definition;
        return true;
    }
    accounts_[record.account].hooks.push_back(std::make_unique<KnownHook>(
        KnownHook{.hook = *std::move(hook), .definition = record.definition}));
    ++totals_.hooks;
    return true;
}

void Dispatcher::erase_hook(model::AccountId account, const model::HookId& id) {
    const auto found = accounts_.find(account);
    if (found == accounts_.end()) return;
    totals_.hooks -=
        std::erase_if(found->second.hooks, [&](const auto& known) { return known->hook.id == id; });
}

KnownHook* Dispatcher::find_mutable(model::AccountId account, const model::HookId& id) {
    const auto found = accounts_.find(account);
    if (found == accounts_.end()) return nullptr;
    for (const auto& known : found->second.hooks) {
        if (known->hook.id == id) return known.get();
    }
    return nullptr;
}

const KnownHook* Dispatcher::find(model::AccountId account, const model::HookId& id) const {
    return const_cast<Dispatcher*>(this)->find_mutable(account, id);
}

std::vector<const KnownHook*> Dispatcher::list(model::AccountId account) const {
    std::vector<const KnownHook*> hooks;
    const auto found = accounts_.find(account);
    if (found == accounts_.end()) return hooks;
    for (const auto& known : found->second.hooks) hooks.push_back(known.get());
    return hooks;
}

void Dispatcher::on_event(const EventPtr& event, Instant now) {
    const auto found = accounts_.find(event->owner);
    if (found == accounts_.end() || event->what.cause != services::Cause::Own) return;
    bool has_work = false;
    Product product;
    for (const auto& known : found->second.hooks) {
        if (!takes(known->hook, *event)) continue;
        if (!has_work && event->publisher && config_.product_of)
            product = config_.product_of(event->owner, *event->publisher);
        has_work = true;
        enqueue(found->second,
                *known,
                {.hook = known->hook.id, .event = event, .product = product},
                now);
    }
    if (has_work) ask_for_work();
}

Status Dispatcher::try_hook(model::AccountId account,
                            const model::HookId& id,
                            EventPtr event,
                            Instant now) {
    KnownHook* const known = find_mutable(account, id);
    if (known == nullptr) return Error::NotFound;
    const bool is_taken = enqueue(
        accounts_.at(account), *known, {.hook = id, .event = std::move(event), .product = {}}, now);
    ask_for_work();
    if (!is_taken) return Error::Busy;
    return {};
}

bool Dispatcher::enqueue(Account& account, KnownHook& known, Job job, Instant now) {
    if (account.waiting >= kWaitingPerAccountMax || totals_.waiting >= kWaitingMax) {
        ++known.activity.dropped;
        ++totals_.dropped;
        complain(account, known, job, kTooMany, now);
        return false;
    }
    const Hook& hook = known.hook;
    const auto [found, is_new] = lanes_.try_emplace({hook.account, hook.origin.host});
    Lane& lane = found->second;
    if (is_new) {
        lane.account = hook.account;
        lane.host = hook.origin.host;
    }
    lane.used_at = now;
    lane.waiting.push_back(std::move(job));
    ++account.waiting;
    ++totals_.waiting;
    give_turn(lane);
    return true;
}

void Dispatcher::give_turn(Lane& lane) {
    if (lane.is_in_turn || lane.waiting.empty()) return;
    lane.is_in_turn = true;
    turns_.push_back(&lane);
}

std::optional<Output> Dispatcher::next(Instant now) {
    while (says_.empty() && !turns_.empty() && totals_.active < kActiveMax) {
        Lane& lane = *turns_.front();
        turns_.pop_front();
        lane.is_in_turn = false;
        if (auto send = take_turn(lane, now)) return Output{*std::move(send)};
    }
    if (says_.empty()) return std::nullopt;
    Say say = std::move(says_.front());
    says_.pop_front();
    return Output{std::move(say)};
}

// One request of the lane, if it may have one.
std::optional<Send> Dispatcher::take_turn(Lane& lane, Instant now) {
    if (lane.waiting.empty() || lane.active >= kActivePerHostMax) return std::nullopt;
    Account& account = accounts_.at(lane.account);
    if (account.active >= kActivePerAccountMax) {
        lane.is_in_turn = true;
        account.held.push_back(&lane);
        return std::nullopt;
    }
    Job job = std::move(lane.waiting.front());
    lane.waiting.pop_front();
    --account.waiting;
    --totals_.waiting;
    give_turn(lane);
    KnownHook* const known = find_mutable(lane.account, job.hook);
    if (known == nullptr || known->hook.is_disabled) return std::nullopt;
    return begin(lane, account, *known, std::move(job), now);
}

std::optional<Send> Dispatcher::begin(
    Lane& lane, Account& account, KnownHook& known, Job job, Instant now) {
    lane.used_at = now;
    if (!lane.breaker.may_send(now)) {
        ++known.activity.skipped;
        fail(account, known, std::move(job), {.text = kAsleep}, now);
        return std::nullopt;
    }
    auto request = build_request(known.hook, *job.event, job.product);
    if (!request) {
        lane.breaker.on_nothing();
        fail(account, known, std::move(job), {.text = request.error().text, .is_final = true}, now);
        return std::nullopt;
    }
    const JobId id{++last_job_};
    active_.emplace(id, ActiveJob{.job = std::move(job), .lane = &lane});
    ++lane.active;
    ++account.active;
    ++totals_.active;
    return Send{.job = id, .account = lane.account, .request = *std::move(request)};
}

void Dispatcher::on_sent(JobId job) {
    const auto found = active_.find(job);
    if (found == active_.end()) return;
    const Lane& lane = *found->second.lane;
    KnownHook* const known = find_mutable(lane.account, found->second.job.hook);
    if (known == nullptr) return;
    ++known->activity.sent;
    say(known->hook, sent_event(*found->second.job.event));
    ask_for_work();
}

void Dispatcher::on_answered(JobId id, const Answer& answer, Instant now) {
    const auto found = active_.find(id);
    SOTTO_ASSERT(found != active_.end());
    Job job = std::move(found->second.job);
    Lane& lane = *found->second.lane;
    active_.erase(found);
    Account& account = accounts_.at(lane.account);
    --lane.active;
    --account.active;
    --totals_.active;
    lane.used_at = now;
    const auto* const response = std::get_if<WebResponse>(&answer);
    const bool is_good = response != nullptr && response->status / 100 == 2;
    note_host(lane, answer, is_good, now);
    if (KnownHook* const known = find_mutable(lane.account, job.hook)) {
        if (is_good) {
            finish(account, *known, std::move(job), *response, now);
        } else {
            fail(account, *known, std::move(job), failure_of(known->hook, answer), now);
        }
    }
    give_turn(lane);
    for (Lane* const held : std::exchange(account.held, {})) {
        held->is_in_turn = false;
        give_turn(*held);
    }
    ask_for_work();
}

// What the answer says about the host.
void Dispatcher::note_host(Lane& lane, const Answer& answer, bool is_good, Instant now) {
    const auto* const failure = std::get_if<Failure>(&answer);
    if (is_good) return lane.breaker.on_success();
    if (failure != nullptr && failure->is_final) return lane.breaker.on_nothing();
    lane.breaker.on_failure(now);
}

Failure Dispatcher::failure_of(const Hook& hook, const Answer& answer) {
    const std::string& host = hook.origin.host;
    if (const auto* const failure = std::get_if<Failure>(&answer))
        return {.text = host + " " + failure->text, .is_final = failure->is_final};
    const unsigned status = std::get<WebResponse>(answer).status;
    Failure failure{.text = "error status " + std::to_string(status) + " from " + host};
    if (status / 100 == 3) {
        failure.text += ": redirects are not followed";
        failure.is_final = true;
    }
    return failure;
}

void Dispatcher::finish(
    Account& account, KnownHook& known, Job job, const WebResponse& response, Instant now) {
    auto events = response_events(known.hook, *job.event, job.product, response);
    if (!events)
        return fail(
            account, known, std::move(job), {.text = events.error().text, .is_final = true}, now);
    ++known.activity.succeeded;
    ++totals_.succeeded;
    for (services::Publication& what : *events) say(known.hook, std::move(what));
}

void Dispatcher::fail(
    Account& account, KnownHook& known, Job job, const Failure& failure, Instant now) {
    ++known.activity.failed;
    ++totals_.failed;
    complain(account, known, job, failure.text, now);
    if (failure.is_final || job.retries >= kRetryDelays.size()) {
        ++known.activity.dropped;
        ++totals_.dropped;
        return;
    }
    const Instant at = now + kRetryDelays[job.retries++];
    ++account.waiting;
    ++totals_.waiting;
    retries_.emplace(at, Retry{.account = known.hook.account, .job = std::move(job)});
}

void Dispatcher::complain(
    Account& account, KnownHook& known, const Job& job, const std::string& text, Instant now) {
    known.activity.last_error = text;
    known.activity.last_error_at = now;
    if (!account.errors.take(now)) return;
    say(known.hook, error_event(known.hook, *job.event, job.product, text));
}

void Dispatcher::say(const Hook& hook, services::Publication what) {
    what.product = hook.product;
    says_.push_back({.account = hook.account, .what = std::move(what)});
}

void Dispatcher::on_time(Instant now) {
    bool has_work = false;
    while (!retries_.empty() && retries_.begin()->first <= now) {
        Retry retry = std::move(retries_.begin()->second);
        retries_.erase(retries_.begin());
        Account& account = accounts_.at(retry.account);
        --account.waiting;
        --totals_.waiting;
        if (KnownHook* const known = find_mutable(retry.account, retry.job.hook)) {
            enqueue(account, *known, std::move(retry.job), now);
            has_work = true;
        }
    }
    if (now - swept_at_ >= kSweepPeriod) sweep(now);
    if (has_work) ask_for_work();
}

// Forgets hosts and accounts with which nothing is going on.
void Dispatcher::sweep(Instant now) {
    swept_at_ = now;
    std::erase_if(lanes_, [now](const auto& entry) {
        const Lane& lane = entry.second;
        return lane.waiting.empty() && lane.active == 0 && !lane.is_in_turn &&
               now - lane.used_at >= kForgetTime;
    });
    std::erase_if(accounts_, [this](const auto& entry) {
        const Account& account = entry.second;
        const auto lane = lanes_.lower_bound({entry.first, std::string{}});
        const bool has_lanes = lane != lanes_.end() && lane->second.account == entry.first;
        return account.hooks.empty() && account.waiting == 0 && account.active == 0 && !has_lanes;
    });
}

}  // namespace sotto::cloud::hooks
