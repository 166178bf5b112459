// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/app.hpp"

#include "core/cbor/reader.hpp"
#include "core/cbor/writer.hpp"
#include "core/framing/channel.hpp"

namespace sotto::sim {
namespace {

constexpr Duration kTick = milliseconds(100);
constexpr Duration kPatience = seconds(20);
constexpr double kBeginsJob = 0.08;  // in each tick
constexpr std::size_t kDeferredMax = 3;
constexpr Duration kHandInPause = seconds(3);

}  // namespace

App::App(const Setup& setup)
    : setup_(setup), entropy_(1'000 + setup.number), outbox_(setup.ledger) {
    app_id_.bytes[0] = setup.number;
    boot();
    tick();
}

void App::boot() {
    client_.emplace(session::Client::Setup{
        .identity = setup_.party.identity(),
        .form = cose::CredentialForm::Kid,
        .storage = storage_,
        .entropy = entropy_,
        .device = FixedBytes<crypto::kHashSize>{setup_.device.party().credential.hash()},
        .since_1970 = Duration{}});  // the world's time counts from there
    if (!client_->start(setup_.world.now)) setup_.ledger.complain("an app does not start");
    ++life_;
}

void App::crash() {
    // Whoever waited for the answer will never hear it.
    if (job_ == Job::Command) close_command(Verdict::Unknown);
    job_ = Job::None;
    is_watching_ = false;
    storage_.reboot();
    if (const auto id = std::exchange(channel_, std::nullopt)) setup_.cloud.on_app_closed(*id);
    boot();
}

void App::tick() {
    setup_.world.at(kTick, [this] {
        if (!is_dead()) {
            if (!channel_) channel_ = setup_.cloud.connect(*this, app_id_);
            hand_in();
            const bool is_free = job_ == Job::None && !client_->is_busy();
            if (is_free && setup_.world.chance.happens(kBeginsJob)) {
                if (outbox_.to_settle(time()) != nullptr) {
                    begin_settling();
                } else if (!is_resting_) {
                    begin_job();
                }
            }
            pump();
        }
        tick();
    });
}

void App::on_channel_closed() { channel_.reset(); }

bool App::is_paired() const {
    auto& storage = const_cast<testing::MemoryStorage&>(storage_);
    const auto peer = keystore::load_peer(storage);
    return peer && peer->is_paired;
}

void App::begin_job() {
    is_nearby_ = setup_.world.chance.happens(has_cloud_ ? 0.3 : 0.7);
    const Instant now = setup_.world.now;
    if (setup_.is_owner && (!is_paired() || setup_.world.chance.happens(0.02))) {
        job_ = Job::Pair;
        static_cast<void>(client_->pair(setup_.device.code(), now, now + kPatience));
        return;
    }
    if (!setup_.is_owner && !is_paired()) return;
    if (setup_.is_owner && !has_cloud_ && !is_on_trial_)
        return begin(Job::AskNetwork, {.resource = "n"});
    if (is_on_trial_ && setup_.world.chance.happens(0.3)) return confirm_cloud();
    if (!is_watching_ && setup_.world.chance.happens(0.2)) {
        if (client_->observe({.resource = "e", .name = "ran"}, now, now + kPatience))
            job_ = Job::Watch;
        return;
    }
    if (setup_.world.chance.happens(0.3))
        return begin(Job::Read, {.resource = "v", .name = "last"});
    if (setup_.world.chance.happens(0.15))
        return begin(Job::ReadLetter, {.resource = "v", .name = "letter", .room = room_});
    if (has_cloud_ && setup_.world.chance.happens(0.15)) return defer_command();
    begin_command(setup_.world.chance.happens(0.25));
}

// Sealed now, for a device that may be away; the cloud keeps it until then.
void App::defer_command() {
    if (outbox_.count() >= kDeferredMax) return;
    const auto within = static_cast<std::uint32_t>(10 + setup_.world.chance.below(80));
    Outbox::Entry entry{.reference = ++reference_,
                        .command = setup_.ledger.draw_command(),
                        .deferred = {},
                        .message = {},
                        .not_after = time() + within};
    std::array<std::uint8_t, session::kMessageSizeMax> buffer{};
    const auto sealed =
        client_->defer({.code = coap::Code::Post,
                        .resource = "f",
                        .name = "run",
                        .content = session::Content{.payload = as_bytes(entry.command)}},
                       entry.not_after,
                       setup_.world.now,
                       buffer);
    if (!sealed) return;  // there is no session to wait in
    entry.deferred = sealed->deferred;
    entry.message.assign(sealed->message.begin(), sealed->message.end());
    setup_.ledger.on_told(entry.command, Verdict::Open);
    outbox_.add(std::move(entry));
}

void App::hand_in() {
    if (!channel_ || setup_.world.now < handed_in_ + kHandInPause) return;
    handed_in_ = setup_.world.now;
    for (const Outbox::Entry* entry : outbox_.to_hand_in(time())) {
        send_to_cloud(
            framing::channel::Send{.reference = framing::channel::Reference{entry->reference},
                                   .device_id = setup_.device.id(),
                                   .lifetime_s = entry->not_after - time(),
                                   .message = entry->message});
    }
}

void App::begin_settling() {
    is_nearby_ = setup_.world.chance.happens(0.5);
    const Outbox::Entry& entry = *outbox_.to_settle(time());
    const Instant now = setup_.world.now;
    if (!client_->settle(entry.deferred, now, now + kPatience)) return;
    settling_ = entry.reference;
    job_ = Job::Settle;
}

void App::begin_command(bool is_letter) {
    is_letter_ = is_letter;
    command_ = setup_.ledger.draw_command();
    setup_.ledger.on_told(command_, Verdict::Open);
    argument_ = is_letter ? letter_of(command_) : command_;
    begin(Job::Command,
          {.code = coap::Code::Post,
           .resource = "f",
           .name = is_letter ? "read" : "run",
           .content = session::Content{.payload = as_bytes(argument_)},
           .room = room_});
}

void App::begin(Job job, const session::Request& request) {
    const Instant now = setup_.world.now;
    if (client_->request(request, now, now + kPatience)) {
        job_ = job;
    } else if (job == Job::Command) {
        close_command(Verdict::NotRun);
    }
}

void App::pump() {
    while (const auto event = client_->advance(setup_.world.now)) on_event(*event);
    while (!is_dead()) {
        const auto message = client_->next_message(setup_.world.now);
        if (!message) return;
        send({message->begin(), message->end()});
    }
}

void App::send(const Message& message) {
    const auto life = life_;
    setup_.world.carry(message, [this, life, is_nearby = is_nearby_](const Message& arrived) {
        if (is_nearby) {
            setup_.device.on_nearby(arrived, [this, life](const Message& answer) {
                setup_.world.carry(answer, [this, life](const Message& back) {
                    if (life == life_) receive(back);
                });
            });
            return;
        }
        if (!channel_ || arrived.empty()) return;
        send_to_cloud(framing::channel::Send{.reference = framing::channel::Reference{++reference_},
                                             .device_id = setup_.device.id(),
                                             .lifetime_s = 0,
                                             .message = arrived});
    });
}

void App::send_to_cloud(const framing::channel::Record& record) {
    std::array<std::uint8_t, framing::kChannelRecordSizeMax> buffer{};
    const auto bytes = framing::channel::encode_record(buffer, record);
    setup_.cloud.on_app_record(*channel_, {bytes->begin(), bytes->end()});
}

void App::on_record(const Message& bytes) {
    const auto record = framing::channel::parse_record(bytes, framing::channel::Side::Cloud);
    if (!record) return setup_.ledger.complain("the cloud sent what is no record");
    using framing::channel::OutcomeCode;
    if (const auto* outcome = std::get_if<framing::channel::Outcome>(&*record)) {
        const bool is_taken =
            outcome->code == OutcomeCode::Stored || outcome->code == OutcomeCode::HandedOn;
        return outbox_.on_outcome(outcome->reference.value(), is_taken);
    }
    const auto* deliver = std::get_if<framing::channel::Deliver>(&*record);
    if (deliver == nullptr) return;
    if (deliver->sequence.value() != 0 && channel_)
        send_to_cloud(framing::channel::Ack{.sequence = deliver->sequence});
    const auto life = life_;
    setup_.world.carry({deliver->message.begin(), deliver->message.end()},
                       [this, life](const Message& arrived) {
                           if (life == life_) receive(arrived);
                       });
}

void App::receive(const Message& message) {
    if (is_dead()) return;
    if (outbox_.take(*client_, message, setup_.world.now)) return;
    if (const auto event = client_->receive(message, setup_.world.now)) on_event(*event);
    pump();
}

void App::on_event(const session::Event& event) {
    if (const auto* answer = std::get_if<session::Answer>(&event)) {
        on_answer(*answer);
    } else if (const auto* ended = std::get_if<session::Ended>(&event)) {
        on_ended(ended->reason);
    } else if (const auto* paired = std::get_if<session::Paired>(&event)) {
        if (paired->verdict != session::PairingVerdict::Accepted && !setup_.device.is_dead() &&
            paired->verdict != session::PairingVerdict::TryAgain)
            setup_.ledger.complain("the owner's pairing was refused");
        job_ = Job::None;
    } else if (std::holds_alternative<session::Notified>(event)) {
        ++event_count_;
    } else {
        is_watching_ = false;
    }
}

void App::on_answer(const session::Answer& answer) {
    const Job job = std::exchange(job_, Job::None);
    const bool is_done = coap::is_success(answer.code);
    end_ = "code " + std::to_string(static_cast<int>(answer.code));
    if (job == Job::Command) {
        on_command_answer(answer);
    } else if (job == Job::Settle) {
        outbox_.settle(settling_, verdict_of(answer), std::string{as_text(answer.payload)});
    } else if (job == Job::ReadLetter) {
        if (is_done && command_of(as_text(answer.payload)).empty())
            setup_.ledger.complain("a value was mixed with another");
    } else if (job == Job::Watch) {
        is_watching_ = answer.is_observed;
    } else if (job == Job::AskNetwork && is_done) {
        cbor::Reader in{answer.payload};
        network_version_ = 0;
        bool is_on_trial = false;
        in.require(in.map() == 4);
        in.uint();  // the key
        const std::uint64_t version = in.uint();
        if (in.status()) {
            network_version_ = static_cast<std::uint32_t>(version);
            is_on_trial = answer.payload.back() == 0xf5;  // {5: true}, the last
        }
        has_cloud_ = network_version_ > 0 && !is_on_trial;
        is_on_trial_ = is_on_trial;
        if (!has_cloud_ && !is_on_trial_) try_cloud();
    } else if (job == Job::Assign) {
        is_on_trial_ = is_done;
    } else if (job == Job::Confirm) {
        has_cloud_ |= is_done;
        is_on_trial_ = false;  // if it was not done, the device is asked how it stands
    }
}

void App::on_command_answer(const session::Answer& answer) {
    // An inner error comes before anything is run: late, or it could not be stored.
    if (!coap::is_success(answer.code)) return close_command(Verdict::NotRun);
    const std::string text{as_text(answer.payload)};
    if (!is_letter_) return close_command(Verdict::Done, text);
    // A long result may be lost, but never be another's.
    close_command(Verdict::Done, answer.is_result_lost ? command_ : command_of(text));
}

void App::try_cloud() {
    std::array<std::uint8_t, 256> buffer{};
    cbor::Writer writer{buffer};
    writer.map(4).uint(1).uint(++network_version_).uint(2).text(kCloudAddress);
    writer.uint(3).bytes(setup_.cloud.party().credential.hash());
    writer.uint(4).bytes(setup_.cloud.make_claim());
    put_network(Job::Assign, *writer.finish());
}

void App::confirm_cloud() {
    is_nearby_ = false;
    std::array<std::uint8_t, 16> buffer{};
    cbor::Writer writer{buffer};
    writer.map(1).uint(1).uint(network_version_);
    put_network(Job::Confirm, *writer.finish());
}

void App::put_network(Job job, Bytes payload) {
    begin(job,
          {.code = coap::Code::Put,
           .resource = "n",
           .content = session::Content{.format = session::Format::Cbor, .payload = payload}});
}

void App::on_ended(session::Reason reason) {
    const Job job = std::exchange(job_, Job::None);
    end_ = "reason " + std::to_string(static_cast<int>(reason));
    if (reason == session::Reason::NotTheDevice) setup_.ledger.complain("not the device");
    if (reason == session::Reason::NotAdmitted && is_paired() && setup_.is_owner) {
        setup_.ledger.complain("the owner was not admitted");
    }
    if (job == Job::Settle) {
        // Without a word of the device it is asked again.
        if (reason == session::Reason::NotExecuted) outbox_.settle(settling_, Verdict::NotRun, {});
        if (reason == session::Reason::OutcomeUnknown)
            outbox_.settle(settling_, Verdict::Unknown, {});
        return;
    }
    if (job != Job::Command) return;
    close_command(reason == session::Reason::OutcomeUnknown ? Verdict::Unknown : Verdict::NotRun);
}

void App::close_command(Verdict verdict, const std::string& result) {
    setup_.ledger.on_told(command_, verdict, result);
}

}  // namespace sotto::sim
