// SPDX-License-Identifier: Apache-2.0
#include "cloud/link/attachments.hpp"

#include "core/cbor/reader.hpp"

namespace sotto::cloud::link {
namespace {

constexpr Duration kPatience = seconds(30);  // for one try
// A device may be about to start, or busy with another handshake.
constexpr std::array kRetryAfter{seconds(2), seconds(10), seconds(30)};  // the last one again

// The claim in what the device answers to `POST /a`: {1: claim, 2: version of its /n}.
Result<model::ClaimCode> parse_claim(Bytes payload) {
    cbor::Reader in{payload};
    in.require(in.map() == 2);
    in.require(in.uint() == 1);
    const Bytes claim = in.bytes();
    in.require(in.uint() == 2);
    in.uint();  // the version: the owner's business
    SOTTO_TRY(in.finish());
    return model::ClaimCode::from(claim);
}

bool is_of(const model::CredentialHash& credential, const model::DeviceId& device) {
    return std::equal(device.begin(), device.end(), credential.begin());
}

}  // namespace

void Attachments::start(LinkNumber link,
                        const model::DeviceId& device,
                        const std::optional<model::CredentialHash>& credential,
                        Instant now) {
    if (const auto known = device_of_.find(link); known != device_of_.end()) on_link_gone(link);
    const auto [place, is_new] = sessions_.try_emplace(device);
    Session& session = place->second;
    if (!is_new) {
        device_of_.erase(session.link);
        if (session.client != nullptr || session.retry_at || session.is_waiting || !session.context)
            actions_.emplace_back(NotProved{session.link});
    }
    device_of_[link] = device;
    session.link = link;
    session.required = credential;
    session.failure_count = 0;
    session.retry_at.reset();
    session.is_proved = false;
    end_asking(session);
    if (is_new) {
        actions_.emplace_back(Load{device});
    } else if (session.context) {
        begin(device, session, now);
    }  // otherwise its record is on the way
    let_in(now);
}

void Attachments::on_link_gone(LinkNumber link) {
    const auto known = device_of_.find(link);
    if (known == device_of_.end()) return;
    Session& session = sessions_.at(known->second);
    if (session.is_waiting) std::erase(waiting_, known->second);
    end_asking(session);
    sessions_.erase(known->second);  // the store answers in order, so a later Load finds it all
    device_of_.erase(known);
}

void Attachments::on_loaded(const model::DeviceId& device,
                            const std::optional<std::vector<std::uint8_t>>& record,
                            Instant now) {
    const auto found = sessions_.find(device);
    if (found == sessions_.end() || found->second.context) return;
    Session& session = found->second;
    session.context.emplace();
    if (record) {
        if (auto parsed = LinkContext::parse(*record)) session.context = *std::move(parsed);
    }
    begin(device, session, now);
}

void Attachments::begin(const model::DeviceId& device, Session& session, Instant now) {
    if (asked_count_ < kAskedMax) return ask(device, session, now);
    if (!std::exchange(session.is_waiting, true)) waiting_.push_back(device);
}

// Whose turn it is, now that others are done.
void Attachments::let_in(Instant now) {
    while (asked_count_ < kAskedMax && !waiting_.empty()) {
        const model::DeviceId device = waiting_.front();
        waiting_.pop_front();
        const auto found = sessions_.find(device);
        if (found == sessions_.end() || !found->second.is_waiting) continue;
        ask(device, found->second, now);
    }
}

void Attachments::end_asking(Session& session) {
    if (session.client == nullptr) return;
    session.client.reset();
    --asked_count_;
}

// Should it come again by another link, the store has it all.
void Attachments::forget_proved() {
    for (const model::DeviceId& device : std::exchange(proved_, {})) {
        const auto found = sessions_.find(device);
        if (found == sessions_.end() || !found->second.is_proved) continue;
        device_of_.erase(found->second.link);
        sessions_.erase(found);
    }
}

void Attachments::ask(const model::DeviceId& device, Session& session, Instant now) {
    session.is_waiting = false;
    end_asking(session);
    const model::CredentialHash& known = session.context->credential();
    const bool is_whose = session.required ? known == *session.required : is_of(known, device);
    if (!is_whose) session.context.emplace();  // of another key: void
    const Bytes expected = session.required ? Bytes{*session.required} : Bytes{device};
    ++asked_count_;
    session.client = std::make_unique<session::Client>(session::Client::Setup{
        .identity = setup_.identity,
        .storage = *session.context,
        .entropy = setup_.entropy,
        .device = FixedBytes<crypto::kHashSize>{expected},
        .since_1970 = Duration{},  // our instants count from there: a proposal [SES-94]
    });
    const bool is_asked =
        session.client->start(now) &&
        session.client->request({.code = coap::Code::Post, .resource = "a"}, now, now + kPatience);
    if (!is_asked) return fail(session, false, now);
    pump(device, session, now);
}

void Attachments::on_message(LinkNumber link,
                             const model::DeviceId& device,
                             Bytes message,
                             Instant now) {
    const auto found = sessions_.find(device);
    if (found == sessions_.end()) return;
    Session& session = found->second;
    if (session.link != link || session.client == nullptr) return;
    if (const auto event = session.client->receive(message, now))
        on_event(device, session, *event, now);
    pump(device, session, now);
    let_in(now);
}

void Attachments::on_saved(const model::DeviceId& device, bool is_done, Instant now) {
    const auto found = sessions_.find(device);
    if (found == sessions_.end() || found->second.open_save_count == 0) return;
    Session& session = found->second;
    --session.open_save_count;
    if (!is_done && session.client != nullptr) return fail(session, true, now);
    pump(device, session, now);
    let_in(now);
}

void Attachments::on_time(Instant now) {
    let_in(now);
    for (auto& [device, session] : sessions_) {
        if (session.retry_at && now >= *session.retry_at) {
            session.retry_at.reset();
            begin(device, session, now);
        } else {
            pump(device, session, now);
        }
    }
}

bool Attachments::save_changes(const model::DeviceId& device, Session& session) {
    if (!session.context->take_changed()) return false;
    if (session.client != nullptr && session.client->device())
        session.context->set_credential(session.client->device()->hash());
    actions_.emplace_back(Save{device, session.context->encode()});
    ++session.open_save_count;
    return true;
}

// Does what is due, but nothing before the changes of before are saved.
void Attachments::pump(const model::DeviceId& device, Session& session, Instant now) {
    if (!session.context) return;
    save_changes(device, session);
    while (session.client != nullptr && session.open_save_count == 0) {
        const auto event = session.client->advance(now);
        if (save_changes(device, session) && !event) return;
        if (event) {
            on_event(device, session, *event, now);
            continue;
        }
        const auto message = session.client->next_message(now);
        if (!message) return;
        actions_.emplace_back(Send{session.link, {message->begin(), message->end()}});
    }
}

void Attachments::on_event(const model::DeviceId& device,
                           Session& session,
                           const session::Event& event,
                           Instant now) {
    if (const auto* answer = std::get_if<session::Answer>(&event)) {
        on_answer(device, session, *answer);
    } else if (const auto* ended = std::get_if<session::Ended>(&event)) {
        const bool is_final = ended->reason == session::Reason::NotTheDevice ||
                              ended->reason == session::Reason::NotAdmitted;
        fail(session, !is_final, now);
    }
}

void Attachments::on_answer(const model::DeviceId& device,
                            Session& session,
                            const session::Answer& answer) {
    const auto claim = parse_claim(answer.payload);
    const bool is_proved = answer.code == coap::Code::Changed && claim;
    save_changes(device, session);
    const model::CredentialHash credential = session.context->credential();
    end_asking(session);
    if (is_proved) {
        session.is_proved = true;
        proved_.push_back(device);
        actions_.emplace_back(Proved{session.link, device, credential, *claim});
    } else {
        actions_.emplace_back(NotProved{session.link});
    }
}

void Attachments::fail(Session& session, bool may_retry, Instant now) {
    end_asking(session);
    if (may_retry) {
        const std::size_t step = std::min(session.failure_count++, kRetryAfter.size() - 1);
        session.retry_at = now + kRetryAfter[step];
    } else {
        actions_.emplace_back(NotProved{session.link});
    }
}

std::optional<Action> Attachments::next_action() {
    forget_proved();
    if (actions_.empty()) return std::nullopt;
    Action action = std::move(actions_.front());
    actions_.pop_front();
    return action;
}

}  // namespace sotto::cloud::link
