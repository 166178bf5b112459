// SPDX-License-Identifier: Apache-2.0
#include "cloud/link/guest_session.hpp"

#include <algorithm>
#include <utility>

#include "core/keystore/records.hpp"

namespace sotto::cloud::link {

using session::Event;

GuestSession::GuestSession(const Setup& setup)
    : on_event_(setup.on_event),
      on_watch_end_(setup.on_watch_end),
      client_({.identity = setup.identity,
               .storage = context_,
               .entropy = setup.entropy,
               .device = FixedBytes<crypto::kHashSize>{setup.device}}) {}

Result<std::unique_ptr<GuestSession>> GuestSession::begin(const Setup& setup, Instant now) {
    if (setup.token.size() > keystore::kTokenSizeMax) return Error::NoSpace;
    std::unique_ptr<GuestSession> session{new GuestSession{setup}};
    SOTTO_TRY(keystore::store_token(session->context_, keystore::TokenBytes{setup.token}));
    SOTTO_TRY(session->client_.start(now));
    return session;
}

bool GuestSession::call(std::string function, std::string argument, Instant now, Done done) {
    return submit({.code = coap::Code::Post,
                   .resource = "f",
                   .name = std::move(function),
                   .argument = std::move(argument),
                   .done = std::move(done)},
                  now);
}

bool GuestSession::read(std::string variable, Instant now, Done done) {
    return submit({.resource = "v", .name = std::move(variable), .done = std::move(done)}, now);
}

bool GuestSession::ask_time(Instant now, Done done) {
    return submit({.resource = "t", .name = {}, .done = std::move(done)}, now);
}

void GuestSession::watch(std::string event, Instant now) {
    to_watch_.emplace(std::move(event), now);
    run({}, now);
}

bool GuestSession::submit(Job job, Instant now) {
    if (waiting_.size() + (current_ ? 1 : 0) >= kGuestJobsMax) return false;
    job.until = now + kGuestPatience;
    waiting_.push_back(std::move(job));
    run({}, now);
    return true;
}

void GuestSession::on_message(Bytes message, Instant now) {
    run(client_.receive(message, now), now);
}

void GuestSession::on_time(Instant now) { run({}, now); }

std::optional<Instant> GuestSession::wake_at() const {
    auto wake = client_.wake_at();
    for (const auto& [event, at] : to_watch_) wake = wake ? std::min(*wake, at) : at;
    return wake;
}

// What is called back from here may submit further jobs: they begin when the event is over, whose
// views the client holds.
void GuestSession::run(std::optional<Event> event, Instant now) {
    if (std::exchange(is_running_, true)) return;
    do {
        if (event) on(*event, now);
        event = client_.advance(now);
    } while (event || start_next(now));
    is_running_ = false;
}

// False if there is nothing to begin.
bool GuestSession::start_next(Instant now) {
    if (current_ || client_.is_busy()) return false;
    const auto due =
        std::ranges::find_if(to_watch_, [&](const auto& at) { return at.second <= now; });
    if (due != to_watch_.end()) {
        current_ = Job{.resource = "e",
                       .name = due->first,
                       .is_watch = true,
                       .until = now + kGuestPatience,
                       .done = on_watch_end_};
        to_watch_.erase(due);
    } else if (!waiting_.empty()) {
        current_ = std::move(waiting_.front());
        waiting_.pop_front();
    } else {
        return false;
    }
    Job& job = *current_;
    session::Request request{.code = job.code, .resource = job.resource, .name = job.name};
    Status begun = Error::Timeout;
    if (job.is_watch) {
        const auto observed = client_.observe(request, now, job.until);
        if (observed) pending_ = *observed;
        begun = observed ? Status{} : Status{observed.error()};
    } else if (now < job.until) {
        job.room.resize(kGuestAnswerSizeMax);
        request.room = job.room;
        request.accept = session::Format::Cbor;
        if (job.code == coap::Code::Post)
            request.content = session::Content{.format = session::Format::Text,
                                               .payload = as_bytes(job.argument)};
        begun = client_.request(request, now, job.until);
    }
    if (!begun) {
        const bool is_late = begun.error() == Error::Timeout;
        end(session::Ended{is_late ? session::Reason::Silence : session::Reason::OwnState});
    }
    return true;
}

void GuestSession::on(const Event& event, Instant now) {
    if (const auto* notified = std::get_if<session::Notified>(&event)) {
        const auto watched = watched_.find(notified->observation);
        if (watched != watched_.end() && on_event_) on_event_(watched->second, notified->content);
        return;
    }
    if (const auto* silent = std::get_if<session::FellSilent>(&event)) {
        if (auto watched = watched_.extract(silent->observation))
            to_watch_.emplace(std::move(watched.mapped()), now + kWatchAgainAfter);
        return;
    }
    if (current_ && current_->is_watch) {
        const auto* answer = std::get_if<session::Answer>(&event);
        if (answer != nullptr && answer->is_observed) {
            watched_[*pending_] = current_->name;
        } else if (answer == nullptr) {
            to_watch_.emplace(current_->name, now + kWatchAgainAfter);
        }  // else the device has no such event, or does not let us watch it
    }
    end(event);
}

void GuestSession::end(const Event& event) {
    if (!current_) return;
    const Job job = *std::exchange(current_, std::nullopt);
    if (job.done) job.done(event);
}

void GuestSession::interrupt(Instant now) {
    if (const auto event = client_.give_up(now)) on(*event, now);
    for (const Job& job : std::exchange(waiting_, {})) {
        if (job.done) job.done(session::Ended{});
    }
}

void GuestSession::resume(Instant now) {
    client_.send_again(now);
    run({}, now);
}

}  // namespace sotto::cloud::link
