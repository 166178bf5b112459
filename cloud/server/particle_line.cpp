// SPDX-License-Identifier: Apache-2.0
#include "cloud/server/particle_line.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <sys/socket.h>
#include <utility>

#include <boost/asio/post.hpp>

#include "cloud/server/limits.hpp"
#include "core/base/hex.hpp"

namespace sotto::cloud::server {

namespace asio = boost::asio;
using particle::Handshake;
using services::DeviceDone;
using services::DeviceError;

namespace {

constexpr std::size_t kRandomSize = 40;  // of what the official cloud gives a device

// Any name that begins with spark/device/claim/ makes a device forget its claim code.
constexpr std::string_view kClaimOverEvent = "spark/device/claim/success";

// Of what a call of a socket says: the same call may do later.
bool is_for_later(int error) { return error == EAGAIN || error == EINTR; }

DeviceError to_device_error(Error error) {
    switch (error) {
        case Error::NotFound:
            return DeviceError::NoSuch;
        case Error::Timeout:
            return DeviceError::TimedOut;
        case Error::TooLarge:
            return DeviceError::TooLarge;
        case Error::Busy:
        case Error::NoSpace:
            return DeviceError::Busy;
        case Error::WrongState:
            return DeviceError::NotConnected;
        case Error::AlreadyExists:
        case Error::EntropyFailed:
        case Error::Expired:
        case Error::InvalidArgument:
        case Error::Malformed:
        case Error::RateLimited:
        case Error::Refused:
        case Error::StorageFailed:
        case Error::Superseded:
        case Error::Truncated:
        case Error::Unauthenticated:
        case Error::Unsupported:
            break;
    }
    return DeviceError::Refused;
}

services::ValueType to_value_type(particle::VariableType type) {
    switch (type) {
        case particle::VariableType::Bool:
            return services::ValueType::Bool;
        case particle::VariableType::Int:
            return services::ValueType::Int;
        case particle::VariableType::Double:
            return services::ValueType::Double;
        case particle::VariableType::String:
            break;
    }
    return services::ValueType::String;
}

// The session has looked at the size. An int comes with its high byte first, a double with its low.
services::Value to_value(const particle::Value& value) {
    std::uint64_t number = 0;
    switch (to_value_type(value.type)) {
        case services::ValueType::Bool:
            return value.bytes[0] != 0;
        case services::ValueType::Int:
            for (const std::uint8_t byte : value.bytes) number = number << 8U | byte;
            return static_cast<std::int32_t>(static_cast<std::uint32_t>(number));
        case services::ValueType::Double:
            for (std::size_t i = value.bytes.size(); i-- > 0;)
                number = number << 8U | value.bytes[i];
            return std::bit_cast<double>(number);
        case services::ValueType::String:
            break;
    }
    return std::string{as_text(value.bytes)};
}

void give(const std::variant<DeviceDone<void>, DeviceDone<services::Value>>& done,
          const Result<particle::Answer>& answer) {
    std::visit(
        [&answer]<class T>(const DeviceDone<T>& is_done) {
            if (!answer) return is_done(to_device_error(answer.error()));
            if constexpr (std::is_void_v<T>) {
                is_done({});
            } else if (const auto* result = std::get_if<std::int32_t>(&*answer)) {
                is_done(services::Value{*result});
            } else if (const auto* value = std::get_if<particle::Value>(&*answer)) {
                is_done(to_value(*value));
            } else {
                is_done(DeviceError::Refused);
            }
        },
        done);
}

}  // namespace

ParticleLine::ParticleLine(World& world, ports::File socket, std::string address)
    : world_(world),
      socket_(std::move(socket)),
      address_(std::move(address)),
      connected_at_(world.now()) {}

// The socket.

void ParticleLine::start() {
    particle::Nonce nonce{};
    if (!world_.sockets.add(socket_.descriptor(), *this)) return end("no room");
    if (!world_.entropy.fill(nonce)) return end("no randomness");
    handshake_ = std::make_unique<Handshake>(nonce, world_.now());
    output_.assign(nonce.begin(), nonce.end());
    flush();
}

void ParticleLine::on_ready(bool is_readable, bool is_writable) {
    const auto self = shared_from_this();
    if (is_writable) {
        wait_for_room(false);
        flush();
    }
    if (is_readable && is_open_) read();
}

void ParticleLine::read() {
    const ssize_t size =
        ::recv(socket_.descriptor(), world_.input.data(), world_.input.size(), MSG_DONTWAIT);
    if (size > 0) return on_bytes(Bytes{world_.input}.first(static_cast<std::size_t>(size)));
    if (size == 0 || !is_for_later(errno)) end("gone");
}

void ParticleLine::on_bytes(Bytes bytes) {
    if (session_) {
        session_->receive(bytes, world_.now());
        return pump();
    }
    const auto before = handshake_->stage();
    handshake_->receive(bytes, world_.now());
    if (handshake_->stage() == before) return;
    if (handshake_->stage() == Handshake::Stage::Answering) return answer_key_message();
    refuse("too many bytes");
}

// What the socket does not take waits; the session bounds how much of it.
void ParticleLine::flush() {
    while (is_open_ && !is_waiting_for_room_) {
        if (sent_ == output_.size()) {
            sent_ = 0;
            output_ = session_ ? session_->take_output() : std::vector<std::uint8_t>{};
            if (output_.empty()) return;
        }
        if (!write_some()) return;
    }
}

// False if there is no going on.
bool ParticleLine::write_some() {
    const Bytes rest = Bytes{output_}.subspan(sent_);
    const ssize_t size =
        ::send(socket_.descriptor(), rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (size >= 0) {
        sent_ += static_cast<std::size_t>(size);
        return true;
    }
    if (is_for_later(errno))
        wait_for_room(true);
    else
        end("gone");
    return false;
}

void ParticleLine::wait_for_room(bool is_wanted) {
    is_waiting_for_room_ = is_wanted;
    world_.sockets.wait_for_room(socket_.descriptor(), *this, is_wanted);
}

void ParticleLine::end(std::string_view why) {
    if (!is_open_) return;
    const auto self = shared_from_this();
    is_open_ = false;
    world_.sockets.remove(socket_.descriptor(), *this);
    socket_ = ports::File{};
    if (is_reported_) {
        world_.devices.on_disconnected(device_, *this);
        world_.log.info("particle-gone", {{"device", to_hex<std::string>(device_)}, {"why", why}});
    } else if (session_) {
        world_.log.warn(
            "particle-refused",
            {{"device", to_hex<std::string>(device_)}, {"from", address_}, {"why", why}});
    } else {
        refuse(why);
    }
    for (const Pending& pending : std::exchange(pending_, {}))
        give(pending.done, Error::WrongState);
    end_update(particle::UpdateEnding::Lost);
    world_.on_end(*this);
}

void ParticleLine::on_time(Instant now) {
    if (handshake_ && handshake_->is_over(now)) return end("too slow");
    if (!session_ || now < session_->next_deadline()) return;
    session_->on_time(now);
    pump();
}

// The handshake.

// The other side learns it at kRefusalTime. Nothing is read from it until then.
void ParticleLine::refuse(std::string_view why) {
    if (std::exchange(is_refused_, true)) return;
    if (is_open_) world_.sockets.remove(socket_.descriptor(), *this);
    const bool is_named = device_ != model::DeviceId{};
    world_.log.warn("particle-refused",
                    {{"device", is_named ? to_hex<std::string>(device_) : "unknown"},
                     {"from", address_},
                     {"why", why}});
}

void ParticleLine::answer_key_message() {
    known_.owners = world_.devices.owners();
    world_.workers.submit(
        [weak = weak_from_this(),
         message = handshake_->key_message(),
         enrols = world_.enrols_on_first_use](const HandshakeTools& tools) -> RsaWorkers::Done {
            if (weak.expired()) return [] {};
            // Which cannot be copied.
            const auto answer = std::make_shared<HandshakeAnswer>(
                server::answer_key_message(tools, message, enrols));
            return [weak, answer] {
                if (const auto self = weak.lock()) self->on_answered(*answer);
            };
        },
        world_.now());
}

void ParticleLine::on_answered(HandshakeAnswer& answer) {
    if (!is_open_) return;
    device_ = answer.device;
    server_key_ = answer.server_key;
    known_.owner = answer.owner;
    if (!answer.unknown_key.empty()) note_pending_key(std::move(answer.unknown_key));
    std::array<std::uint8_t, 2> id{};
    const Status status = answer.agreement ? world_.entropy.fill(id) : answer.agreement.error();
    handshake_->on_answered(status);
    if (handshake_->stage() != Handshake::Stage::Done)
        return refuse(answer.refusal.empty() ? "no randomness" : answer.refusal);
    handshake_.reset();
    enrolled_key_ = std::move(answer.enrolled_key);
    particle::Agreement& agreement = *answer.agreement;
    output_.assign(agreement.message.begin(), agreement.message.end());
    sent_ = 0;
    session_ = std::make_unique<particle::Session>(
        particle::Session::Setup{.cipher = world_.cipher,
                                 .credentials = std::move(agreement.credentials),
                                 .first_id = static_cast<std::uint16_t>(id[0] << 8U | id[1]),
                                 .now = world_.now()});
    flush();
}

// For the operator to look at. Whoever has the public key of the server can show whatever he likes,
// so that this is bounded in number and in time.
void ParticleLine::note_pending_key(particle::DeviceKey key) {
    if (!world_.pending_keys.take(world_.now())) return;
    world_.store.add_pending_key(
        {.device = device_, .key = std::move(key), .stored_at = world_.now()},
        [](const Status& /*ignored*/) {});
}

// The session.

// Takes what it has to say, and sends what is to be sent.
void ParticleLine::pump() {
    const auto self = shared_from_this();
    attributes_.reset();
    while (is_open_ && !is_held_) {
        auto event = session_->next_event();
        if (!event) break;
        std::visit([this](auto& what) { on(what); }, *event);
    }
    if (is_claim_over_ && is_open_) tell_end_of_claim();
    flush();
    if (is_open_ && session_->ending() != particle::Ending::None)
        end(particle::to_string(session_->ending()));
}

// Not from within calls of others: what comes of it may be the end.
void ParticleLine::pump_soon() {
    if (std::exchange(is_pump_due_, true)) return;
    asio::post(world_.executor, [self = shared_from_this()] {
        self->is_pump_due_ = false;
        if (self->is_open_) self->pump();
    });
}

void ParticleLine::on(particle::Greeted& /*greeted*/) {
    is_greeted_ = true;
    world_.on_greeted(*this);
    if (!enrolled_key_.empty()) return enrol();
    report();
}

// Only now it is proved that it has the key.
void ParticleLine::enrol() {
    is_held_ = true;
    world_.store.add_device_key(
        {.device = device_, .key = std::exchange(enrolled_key_, {}), .stored_at = world_.now()},
        kFirstUseKeysMax,
        [weak = weak_from_this()](const Status& stored) {
            const auto self = weak.lock();
            if (!self || !self->is_open_) return;
            if (!stored) return self->end("not enrolled");
            self->world_.log.warn(
                "particle-enrolled",
                {{"device", to_hex<std::string>(self->device_)}, {"from", self->address_}});
            self->is_held_ = false;
            self->report();
            self->pump();
        });
}

void ParticleLine::report() {
    is_reported_ = true;
    world_.log.info("particle-connected",
                    {{"device", to_hex<std::string>(device_)},
                     {"from", address_},
                     {"platform", session_->hello()->platform},
                     {"server_key", server_key_ == 0 ? "present" : "previous"}});
    world_.devices.on_connected(device_, *this, known_);
}

void ParticleLine::on(particle::Described& /*described*/) { look_at_safe_mode(); }

void ParticleLine::on(particle::Published& published) {
    services::Publication what{.name = std::move(published.name), .ttl_s = published.ttl_s};
    if (published.has_data) what.data = std::move(published.data);
    if (published.is_public) what.visibility = services::Visibility::Public;
    world_.devices.on_event(device_, *this, std::move(what));
}

void ParticleLine::on(particle::SystemEvent& event) {
    answer_system(event);
    look_at_safe_mode();
    services::Publication what{.name = std::move(event.name)};
    if (!event.data.empty()) what.data = std::move(event.data);
    world_.devices.on_event(device_, *this, std::move(what));
}

// What the official cloud answers, under the same name: to an event without data.
void ParticleLine::answer_system(const particle::SystemEvent& event) {
    if (!event.data.empty()) return;
    if (event.name.ends_with("/device/ip")) return tell(event.name, address_);
    if (event.name.ends_with("/device/random")) {
        std::string bytes(kRandomSize, '\0');
        auto* begin = static_cast<std::uint8_t*>(static_cast<void*>(bytes.data()));
        if (world_.entropy.fill({begin, bytes.size()})) tell(event.name, bytes);
    }
    if (!event.name.ends_with("/device/name")) return;
    world_.store.find_open_device(device_,
                                  [weak = weak_from_this(), name = event.name](const auto& record) {
                                      const auto self = weak.lock();
                                      if (self && self->is_open_ && record && *record)
                                          self->tell(name, (*record)->name);
                                  });
}

void ParticleLine::tell(const std::string& name, const std::string& data) {
    if (!wants(name, {})) return;
    // What has no room is lost, as events may be.
    (void)session_->publish({.name = name, .data = data}, world_.now());
    pump_soon();
}

// It shows its code before it subscribes to what may be said about it.
void ParticleLine::tell_end_of_claim() {
    if (!wants(kClaimOverEvent, {})) return;
    is_claim_over_ = false;
    (void)session_->publish({.name = kClaimOverEvent}, world_.now());
}

bool ParticleLine::wants(std::string_view name, std::string_view publisher) const {
    return std::ranges::any_of(session_->subscriptions(), [&](const auto& subscription) {
        return subscription.wants(name, publisher);
    });
}

void ParticleLine::on(particle::Answered& answered) {
    const auto pending = std::ranges::find_if(
        pending_, [&](const Pending& known) { return known.request == answered.request; });
    if (pending == pending_.end()) return;
    const AnyDone done = std::move(pending->done);
    pending_.erase(pending);
    give(done, answered.answer);
}

// What REST sees.

const services::DeviceAttributes& ParticleLine::attributes() const {
    attributes_ = std::make_unique<services::DeviceAttributes>();
    const particle::Hello& hello = *session_->hello();
    attributes_->platform_id = hello.platform;
    attributes_->product_id = hello.product;
    attributes_->firmware_version = hello.product_version;
    if (hello.system_version != 0)
        attributes_->system_version = std::to_string(hello.system_version);
    attributes_->address = address_;
    attributes_->connected_at = connected_at_;
    attributes_->heard_at = session_->heard_at();
    attributes_->is_in_safe_mode = session_->is_in_safe_mode();
    if (!session_->description()) return *attributes_;
    attributes_->functions = session_->description()->functions;
    for (const auto& variable : session_->description()->variables)
        attributes_->variables.emplace_back(variable.name, to_value_type(variable.type));
    return *attributes_;
}

template <class T>
void ParticleLine::submit(Result<particle::RequestId> request, DeviceDone<T> done) {
    if (!request) return done(to_device_error(request.error()));
    pending_.push_back({*request, std::move(done)});
    pump_soon();
}

void ParticleLine::call(const std::string& function,
                        const std::string& argument,
                        DeviceDone<services::Value> done) {
    submit(session_->call(function, argument, world_.now()), std::move(done));
}

void ParticleLine::read(const std::string& variable, DeviceDone<services::Value> done) {
    submit(session_->read(variable, world_.now()), std::move(done));
}

void ParticleLine::ping(DeviceDone<void> done) {
    submit(session_->ping(world_.now()), std::move(done));
}

void ParticleLine::signal(bool is_on, DeviceDone<void> done) {
    submit(session_->signal(is_on, world_.now()), std::move(done));
}

// Names of the system are between a device and the cloud: no device resets another one.
void ParticleLine::on_event(const services::Event& event) {
    if (particle::is_system_name(event.what.name)) return;
    const std::string publisher =
        event.publisher ? to_hex<std::string>(*event.publisher) : std::string{};
    if (!wants(event.what.name, publisher)) return;
    const std::string data = event.what.data.value_or(std::string{});
    (void)session_->publish({.name = event.what.name,
                             .data = data,
                             .ttl_s = event.what.ttl_s,
                             .is_public = event.what.visibility == services::Visibility::Public},
                            world_.now());
    pump_soon();
}

void ParticleLine::on_replaced() {
    asio::post(world_.executor, [self = shared_from_this()] { self->end("replaced"); });
}

void ParticleLine::forget_claim_code() {
    is_claim_over_ = true;
    pump_soon();
}

}  // namespace sotto::cloud::server
