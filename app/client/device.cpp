// SPDX-License-Identifier: Apache-2.0
#include "app/client/device.hpp"

#include <algorithm>
#include <chrono>
#include <deque>
#include <map>
#include <thread>
#include <tuple>

#include "app/client/explain.hpp"
#include "core/cbor/reader.hpp"
#include "core/cbor/writer.hpp"
#include "core/session/client.hpp"

namespace sotto::app {
namespace {

// How often, and for how long each time, a way that was cut is tried again.
constexpr Duration kReopenPause = seconds(1);
constexpr Duration kReopenLimit = seconds(5);

constexpr std::size_t kWaitingMax = 64;  // notifications nobody has asked for yet; the oldest go

Failure not_paired() {
    return {Trouble::Usage, "this device was not paired to its end", "Pair it: sotto pair CODE"};
}

Failure damaged() {
    return {Trouble::State,
            "what is stored of this device or of this app is damaged",
            "Restore the state folder from a backup, or pair again"};
}

Failure too_large() {
    return {Trouble::Usage, "name or argument is too long", "An argument has at most 65536 bytes"};
}

}  // namespace

// Runs the client's jobs over the transport.
class Device::Driver {
  public:
    explicit Driver(const Setup& setup) : setup_(setup) {}

    // A client for a device whose credential has a hash that begins like this.
    Outcome<> open(Bytes hash_prefix, std::optional<cose::Credential> known) {
        auto own = cose::Credential::parse(setup_.identity.credential);
        if (!own) return damaged();
        own_ = *std::move(own);
        known_ = std::move(known);
        client_.emplace(session::Client::Setup{
            .identity = {.credential = *own_, .private_key = setup_.identity.private_key},
            .form = known_ ? cose::CredentialForm::Kid : cose::CredentialForm::Value,
            .storage = setup_.storage,
            .entropy = setup_.entropy,
            .device = FixedBytes<crypto::kHashSize>{hash_prefix},
            .known = known_ ? &*known_ : nullptr,
            .since_1970 = setup_.since_1970});
        if (!client_->start(setup_.now())) return damaged();
        return {};
    }
    // The client for the device that pairing has left in storage.
    Outcome<> open() {
        if (client_) return {};
        const auto peer = keystore::load_peer(setup_.storage);
        if (!peer) return peer.error() == Error::NotFound ? not_paired() : damaged();
        if (!peer->is_paired) return not_paired();
        auto credential = cose::Credential::parse(peer->credential);
        if (!credential) return damaged();
        const crypto::Hash hash = credential->hash();
        return open(hash, *std::move(credential));
    }

    Outcome<session::PairingVerdict> pair(const keystore::PairingCode& code) {
        SOTTO_TRY_ASSIGN(const Instant until, begin());
        if (!client_->pair(code, setup_.now(), until)) return damaged();
        SOTTO_TRY_ASSIGN(const End end, finish());
        return end.verdict.value_or(session::PairingVerdict::NotPermitted);
    }

    // What the device answered; `subject` is what failures speak of.
    Outcome<std::string> ask(const session::Request& request, const Subject& subject) {
        SOTTO_TRY(open());
        SOTTO_TRY_ASSIGN(const Instant until, begin());
        room_.resize(session::kBodySizeMax);
        session::Request with_room = request;
        with_room.room = room_;
        if (!client_->request(with_room, setup_.now(), until)) return too_large();
        SOTTO_TRY_ASSIGN(const End end, finish());
        if (!coap::is_success(end.code)) return explain(end.code, subject);
        if (end.is_result_lost)
            return Failure{Trouble::OutcomeUnknown,
                           "it was done, once, but its result was too long to be kept and is lost",
                           "Look at the device's state instead of repeating it"};
        return end.payload;
    }

    // Whatever is answered.
    Outcome<Answered> ask_for_any(const session::Request& request) {
        SOTTO_TRY(open());
        SOTTO_TRY_ASSIGN(const Instant until, begin());
        if (!client_->request(request, setup_.now(), until)) return too_large();
        SOTTO_TRY_ASSIGN(End end, finish());
        return Answered{end.code, std::move(end.payload)};
    }

    Outcome<Sealed> seal(const session::Request& request, std::uint32_t not_after) {
        SOTTO_TRY(open());
        std::array<std::uint8_t, session::kMessageSizeMax> buffer{};
        const auto sealed = client_->defer(request, not_after, setup_.now(), buffer);
        if (sealed)
            return Sealed{sealed->deferred, {sealed->message.begin(), sealed->message.end()}};
        if (sealed.error() == Error::TooLarge || sealed.error() == Error::NoSpace)
            return too_large();
        if (sealed.error() != Error::NotFound) return explain(session::Reason::OwnState);
        return Failure{Trouble::Unreachable,
                       "the device is not connected, and there is no session with it yet in which "
                       "a command could wait",
                       "Call it once while it is connected; after that, commands can wait for it"};
    }

    Outcome<std::optional<Answered>> open_answer(const session::Deferred& deferred, Bytes message) {
        SOTTO_TRY(open());
        const auto answer = client_->open(deferred, message, setup_.now());
        if (!answer) return std::optional<Answered>{};
        return std::optional{Answered{answer->code, std::string{as_text(answer->payload)}}};
    }

    Outcome<Answered> settle(const session::Deferred& deferred) {
        SOTTO_TRY(open());
        SOTTO_TRY_ASSIGN(const Instant until, begin());
        if (!client_->settle(deferred, setup_.now(), until)) return damaged();
        SOTTO_TRY_ASSIGN(End end, finish());
        return Answered{end.code, std::move(end.payload)};
    }

    Outcome<> watch(const std::string& event) {
        SOTTO_TRY(open());
        SOTTO_TRY_ASSIGN(const Instant until, begin());
        const auto id = client_->observe({.resource = "e", .name = event}, setup_.now(), until);
        if (!id) return id.error() == Error::NoSpace ? too_many() : too_large();
        SOTTO_TRY_ASSIGN(const End end, finish());
        if (!coap::is_success(end.code)) return explain(end.code, {"event", event});
        if (!end.is_observed) return too_many();
        watched_[*id] = event;
        return {};
    }

    Outcome<std::optional<Notification>> next_event(Duration limit) {
        SOTTO_TRY(open());
        const Instant until = setup_.now() + limit;
        while (waiting_.empty()) {
            if (silent_) return *std::exchange(silent_, std::nullopt);
            if (setup_.now() >= until) return std::optional<Notification>{};
            step(until);
            if (lost_) return *lost_;
        }
        Notification first = std::move(waiting_.front());
        waiting_.pop_front();
        return std::optional<Notification>{std::move(first)};
    }

  private:
    // How a job ended, with bytes of its own.
    struct End {
        std::optional<session::PairingVerdict> verdict;
        coap::Code code = coap::Code::Empty;
        std::string payload;
        bool is_observed = false;
        bool is_result_lost = false;
    };

    static Failure too_many() {
        return {Trouble::Refused,
                "the device has no room for another one who watches",
                "End another sotto watch first"};
    }

    // When the next job is to be over. Waits for one of the client's own.
    Outcome<Instant> begin() {
        while (client_->is_busy()) {
            step(setup_.now() + setup_.patience);
            if (lost_) return *lost_;
        }
        end_.reset();
        failure_.reset();
        hint_.reset();
        again_at_.reset();
        told_.reset();
        sent_count_ = 0;
        return setup_.now() + setup_.patience;
    }

    Outcome<End> finish() {
        while (!end_ && !failure_) step(setup_.now() + setup_.patience);
        if (failure_) return *failure_;
        return *std::move(end_);
    }

    // Lets the client do what is due, sends, and waits for what comes next, up to `limit`.
    void step(Instant limit) {
        const auto event = client_->advance(setup_.now());
        note(event);
        while (const auto message = client_->next_message(setup_.now())) {
            ++sent_count_;
            const Status sent = setup_.transport.send(*message);
            if (!sent && sent.error() == Error::WrongState) break;  // wait() tells why
        }
        if (event) return;
        tell_progress();
        const Instant now = setup_.now();
        Instant wake = std::min(client_->wake_at().value_or(limit), limit);
        if (again_at_) wake = std::min(wake, *again_at_);
        if (is_cut_) return wait_for_the_way(wake);
        setup_.transport.set_idle(!client_->is_busy());
        on_arrival(setup_.transport.wait(std::max(wake - now, milliseconds(0))));
    }

    // What has begun goes on when the way stands again; the client says when it is too late.
    void wait_for_the_way(Instant limit) {
        const Instant now = setup_.now();
        const Duration left = std::max(limit - now, milliseconds(1));
        if (again_at_ && now < *again_at_) {
            std::this_thread::sleep_for(std::chrono::milliseconds{left.ms});
            return;
        }
        again_at_ = now + kReopenPause;
        const Status reopened = setup_.transport.reopen(kReopenLimit);
        if (!reopened && reopened.error() != Error::Unsupported) return;
        is_cut_ = false;
        again_at_.reset();
        if (reopened) {
            client_->send_again(setup_.now());
        } else {
            lose(*hint_);
        }
    }

    bool is_worth_waiting() const {
        const auto progress = client_->progress();
        return progress && progress->done > 0;
    }

    void tell_progress() {
        const auto progress = client_->progress();
        if (!progress || !setup_.on_progress) return;
        const bool is_interrupted = is_cut_ || again_at_.has_value();
        const auto key = std::tuple{progress->done, progress->is_answer, is_interrupted};
        if (told_ == key) return;
        told_ = key;
        setup_.on_progress({.done = progress->done,
                            .total = progress->total,
                            .is_answer = progress->is_answer,
                            .is_interrupted = is_interrupted});
    }

    void on_arrival(const Arrival& arrival) {
        if (again_at_ && setup_.now() >= *again_at_) {
            again_at_.reset();
            client_->send_again(setup_.now());
        }
        if (const auto* received = std::get_if<Received>(&arrival)) {
            again_at_.reset();
            note(client_->receive(received->message, setup_.now()));
            setup_.transport.acknowledge();
        } else if (const auto* hint = std::get_if<NotPassedOn>(&arrival)) {
            hint_ = hint->why;
            // Nothing has been under way before: waiting is of no use.
            if (sent_count_ == 1) note(client_->give_up(setup_.now()));
            if (!again_at_ && is_worth_waiting()) again_at_ = setup_.now() + kReopenPause;
        } else if (const auto* lost = std::get_if<Lost>(&arrival)) {
            if (!is_worth_waiting()) return lose(lost->why);
            hint_ = lost->why;
            is_cut_ = true;
            again_at_ = setup_.now();
        }
    }

    void lose(const Failure& why) {
        lost_ = hint_ = why;
        note(client_->give_up(setup_.now()));
    }

    void note(const std::optional<session::Event>& event) {
        if (!event) return;
        if (const auto* answer = std::get_if<session::Answer>(&*event)) {
            end_ = End{.verdict = {},
                       .code = answer->code,
                       .payload = std::string{as_text(answer->payload)},
                       .is_observed = answer->is_observed,
                       .is_result_lost = answer->is_result_lost};
        } else if (const auto* paired = std::get_if<session::Paired>(&*event)) {
            end_ = End{};
            end_->verdict = paired->verdict;
        } else if (const auto* ended = std::get_if<session::Ended>(&*event)) {
            const bool is_silence = ended->reason == session::Reason::Silence;
            failure_ = is_silence && hint_ ? *hint_ : explain(ended->reason);
        } else if (const auto* notified = std::get_if<session::Notified>(&*event)) {
            if (waiting_.size() == kWaitingMax) waiting_.pop_front();
            waiting_.push_back(
                {watched_[notified->observation], std::string{as_text(notified->content.payload)}});
        } else if (const auto* silent = std::get_if<session::FellSilent>(&*event)) {
            silent_ = Failure{Trouble::Unreachable,
                              "the device has fallen silent: event \"" +
                                  watched_[silent->observation] + "\" is not watched any more",
                              "Check that it is switched on and in reach, then watch again"};
        }
    }

    Setup setup_;
    std::optional<cose::Credential> own_;
    std::optional<cose::Credential> known_;
    std::optional<session::Client> client_;
    std::map<session::ObservationId, std::string> watched_;
    std::deque<Notification> waiting_;
    std::optional<End> end_;
    std::optional<Failure> failure_;
    std::optional<Failure> hint_;  // of a carrier
    std::optional<Failure> lost_;
    std::optional<Failure> silent_;
    int sent_count_ = 0;               // in this job
    std::vector<std::uint8_t> room_;   // for an answer of several messages
    bool is_cut_ = false;              // the way; it is tried again
    std::optional<Instant> again_at_;  // what waits for an answer is sent, or the way tried, then
    std::optional<std::tuple<std::size_t, bool, bool>> told_;
};

namespace {

struct Resource {
    std::string_view kind;
    std::string_view name = {};
};

template <class Driver>
Outcome<std::string> put(Driver& driver,
                         const Resource& resource,
                         const cbor::Writer& writer,
                         const Subject& subject) {
    const auto payload = writer.finish();
    if (!payload) return too_large();
    return driver.ask(
        {.code = coap::Code::Put,
         .resource = resource.kind,
         .name = resource.name,
         .content = session::Content{.format = session::Format::Cbor, .payload = *payload}},
        subject);
}

// What a map begins with: a number under key 1.
std::optional<std::uint32_t> first_number(const std::string& map) {
    cbor::Reader in{as_bytes(map)};
    in.require(in.map() > 0);
    in.require(in.uint() == 1);
    const std::uint64_t number = in.uint();
    if (!in.status() || number >= 0xffff'ffff) return std::nullopt;
    return static_cast<std::uint32_t>(number);
}

Failure strange_answer(const std::string& what) {
    return {Trouble::Refused,
            "the device tells nothing of " + what + " that this program understands",
            "Check that device and program are of the same version"};
}

}  // namespace

Device::Device(const Setup& setup) : driver_(std::make_unique<Driver>(setup)) {}

Device::~Device() = default;

Outcome<> Device::pair(const keystore::PairingCode& code) {
    SOTTO_TRY(driver_->open(code.credential_hash_prefix, std::nullopt));
    SOTTO_TRY_ASSIGN(const session::PairingVerdict verdict, driver_->pair(code));
    if (verdict != session::PairingVerdict::Accepted) return explain(verdict);
    // The first request is what makes the device ours for good [SES-23], and this one tells it the
    // time. If it is lost, the next one is the first.
    static_cast<void>(driver_->ask({.code = coap::Code::Put, .resource = "t"}, {"the time", ""}));
    return {};
}

namespace {

session::Request call_of(const std::string& function, const std::string& argument) {
    return {.code = coap::Code::Post,
            .resource = "f",
            .name = function,
            .content =
                session::Content{.format = session::Format::Text, .payload = as_bytes(argument)}};
}

}  // namespace

Outcome<std::string> Device::call(const std::string& function, const std::string& argument) {
    return driver_->ask(call_of(function, argument), {"function", function});
}

Outcome<Device::Sealed> Device::seal(const std::string& function,
                                     const std::string& argument,
                                     std::uint32_t not_after) {
    return driver_->seal(call_of(function, argument), not_after);
}

Outcome<std::optional<Device::Answered>> Device::open(const session::Deferred& deferred,
                                                      Bytes message) {
    return driver_->open_answer(deferred, message);
}

Outcome<Device::Answered> Device::settle(const session::Deferred& deferred) {
    return driver_->settle(deferred);
}

Outcome<std::string> Device::get(const std::string& variable) {
    return driver_->ask({.resource = "v", .name = variable}, {"variable", variable});
}

Outcome<std::string> Device::describe() {
    return driver_->ask({.resource = ".well-known", .name = "core"}, {"the description", ""});
}

Outcome<Device::Answered> Device::ask_updater(coap::Code method, Bytes payload) {
    session::Request request{.code = method, .resource = "u"};
    if (!payload.empty())
        request.content = session::Content{.format = session::Format::Cbor, .payload = payload};
    return driver_->ask_for_any(request);
}

Outcome<std::uint32_t> Device::try_cloud(const CloudAssignment& cloud) {
    const Subject subject{"the change of the cloud", ""};
    SOTTO_TRY_ASSIGN(const std::string network, driver_->ask({.resource = "n"}, subject));
    const bool has_none = network == std::string_view{"\xa0"};  // an empty map
    const auto version = has_none ? 0 : first_number(network);
    if (!version) return strange_answer("its cloud");
    const std::uint32_t trial = *version + 1;
    std::array<std::uint8_t, 256> buffer{};
    cbor::Writer writer{buffer};
    writer.map(4).uint(1).uint(trial).uint(2).text(cloud.address);
    writer.uint(3).bytes(cloud.credential_hash).uint(4).bytes(cloud.claim);
    SOTTO_TRY(put(*driver_, {"n"}, writer, subject));
    return trial;
}

Outcome<> Device::confirm_cloud(std::uint32_t trial) {
    std::array<std::uint8_t, 16> buffer{};
    cbor::Writer writer{buffer};
    writer.map(1).uint(1).uint(trial);
    SOTTO_TRY(put(*driver_, {"n"}, writer, {"the confirmation of the cloud", ""}));
    return {};
}

Outcome<std::uint32_t> Device::hand_over(const cose::Credential& heir,
                                         const keystore::TokenKey& token_key) {
    Scratch<256> scratch;
    cbor::Writer writer{scratch.bytes()};
    writer.map(2).uint(1).bytes(heir.bytes()).uint(2).bytes(token_key.expose());
    SOTTO_TRY_ASSIGN(const std::string answer,
                     put(*driver_, {"m", "owner"}, writer, {"the change of the owner's key", ""}));
    const auto generation = first_number(answer);
    if (!generation) return strange_answer("its owner");
    return *generation;
}

Outcome<> Device::revoke(const keystore::TokenId& token, std::uint32_t not_after) {
    std::array<std::uint8_t, 16> buffer{};
    cbor::Writer writer{buffer};
    const Bytes payload = writer.map(2).uint(1).bytes(token).uint(2).uint(not_after).written();
    SOTTO_TRY_ASSIGN(
        const Answered answered,
        driver_->ask_for_any(
            {.code = coap::Code::Post,
             .resource = "m",
             .name = "guests",
             .content = session::Content{.format = session::Format::Cbor, .payload = payload}}));
    if (coap::is_success(answered.code)) return {};
    if (answered.code == coap::Code::InternalServerError)  // [SES-37]
        return Failure{Trouble::Refused,
                       "the device cannot remember another one that was taken back",
                       "Take all back at once, and share anew: sotto revoke DEVICE --all"};
    return explain(answered.code, {"the revocation", ""});
}

Outcome<> Device::watch(const std::string& event) { return driver_->watch(event); }

Outcome<std::optional<Notification>> Device::next_event(Duration limit) {
    return driver_->next_event(limit);
}

}  // namespace sotto::app
