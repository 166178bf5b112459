// SPDX-License-Identifier: Apache-2.0
#include "device/virtual/device.hpp"

#include "ports/linux/system_clock.hpp"

namespace sotto::device {
namespace {

constexpr std::size_t kShownMax = 64;

// Why the server cannot start, in words.
std::string start_failure(Error why) {
    if (why == Error::EntropyFailed) return "the system gives no random numbers. Try again";
    if (why == Error::StorageFailed)
        return "the state folder cannot be read. Check disk and permissions";
    return "a record in the state folder is damaged (" + std::string{to_string(why)} +
           "); nothing was changed. Put back a copy of the folder, or move it away to begin anew";
}

// With a kid of its own a credential is named by it; a kid that we derive nobody else knows.
cose::CredentialForm form_of(const cose::Credential& credential) {
    return credential.has_own_kid() ? cose::CredentialForm::Kid : cose::CredentialForm::Value;
}

// A long argument by its beginning: a line is read by somebody.
std::string shown(std::string_view argument) {
    if (argument.size() <= kShownMax) return quoted(argument);
    return quoted(argument.substr(0, kShownMax)) + "... (" + std::to_string(argument.size()) +
           " bytes)";
}

}  // namespace

Device::Device(const Setup& setup)
    : setup_(setup),
      storage_(setup.state.storage(), setup.log),
      sketch_(catalog_,
              {.publish = [this](std::string_view event,
                                 std::string_view payload) { publish(event, payload); },
               .on_call =
                   [this](std::string_view function, std::string_view argument) {
                       setup_.log.line("call " + std::string{function} + " " + shown(argument) +
                                       (is_in_the_open_ ? " in the open, through bluz" : ""));
                   }}),
      parts_(rights_, setup.trusted),
      server_({.identity = {.credential = setup.state.credential(),
                            .private_key = setup.state.private_key()},
               .form = form_of(setup.state.credential()),
               .storage = storage_,
               .entropy = setup.entropy,
               .resources = catalog_,
               .parts = parts_.view(),
               .display = setup.state.display(),
               .sessions = sessions_,
               .half_open = half_open_,
               .answers = answers_,
               .events = events_,
               .scratch = scratch_,
               .result = result_,
               .handshake_rate = kHandshakeRate}) {}

Outcome<> Device::start(const SketchOptions& sketch, Instant now) {
    if (const auto declared = sketch_.declare(sketch); !declared)
        return quoted(declared.error()) +
               " cannot be declared. Names have 1 to 32 letters, digits, '-', '_' and '.', come "
               "once, and there are at most 8 functions, 16 variables and 8 events";
    if (const Status started = server_.start(now); !started) return start_failure(started.error());
    return {};
}

Outcome<> Device::add_context(const session::SessionTable::Fixed& context, Instant now) {
    const Status added = server_.add_context(context, now);
    if (added) return {};
    if (added.error() == Error::NotFound)
        return std::string{
            "it is not known which numbers of the OSCORE context have been used. If nobody ever "
            "used it, say so with --new-context; otherwise take a new one"};
    if (added.error() == Error::Expired)
        return std::string{"the OSCORE context met too many forgeries. Take a new one"};
    return "what is stored about the OSCORE context cannot be used (" +
           std::string{to_string(added.error())} + "). Take a new context";
}

void Device::publish(std::string_view event, std::string_view payload) {
    session::Traits traits;
    const bool is_declared = catalog_.find(session::ResourceKind::Event, event, traits);
    SOTTO_ASSERT(is_declared);
    if (!server_.publish(traits.index, {.payload = as_bytes(payload)}))
        setup_.log.line("event " + std::string{event} + " is lost: too large, or too many wait");
    if (on_event_) on_event_(event, payload);
}

Result<Value> Device::run_in_the_open(std::uint8_t function, std::string_view argument) {
    is_in_the_open_ = true;
    const auto result = catalog_.run(function, argument);
    is_in_the_open_ = false;
    return result;
}

Carrier* Device::carrier_of(session::Channel channel) const {
    return channel.path == session::Channel::kAir ? air_ : udp_;
}

Bytes Device::receive(session::Channel channel, Bytes message, Instant now) {
    return server_.receive(channel, message, now, out_);
}

void Device::settle(Instant now) {
    if (revision_ != server_.revision()) {
        revision_ = server_.revision();
        if (air_ != nullptr) air_->on_owner_changed();
        if (on_owner_changed_) on_owner_changed_();
    }
    if (air_ != nullptr) air_->on_time(now);
    while (const auto outgoing = server_.poll(now, out_)) {
        if (Carrier* carrier = carrier_of(outgoing->channel); carrier != nullptr)
            carrier->send(outgoing->channel, outgoing->message);
    }
}

// A system that others keep right has the time after a boot too; on one that nobody does a clock
// may be years behind.
std::optional<std::uint32_t> Device::time(Instant now) const {
    const auto synchronised = ports::SystemClock::synchronised_unix_seconds();
    if (synchronised) return static_cast<std::uint32_t>(*synchronised);
    return parts_.clock().at(now);
}

void Device::on_button(Instant now) {
    server_.on_button(now);
    sketch_.on_button();
    setup_.log.line(std::string{"the button was pressed: lamp "} +
                    (sketch_.is_lamp_on() ? "on" : "off"));
    if (air_ != nullptr) air_->on_button();
    settle(now);
}

void Device::on_reset(Instant now) {
    if (!server_.factory_reset()) {
        setup_.log.line("the factory reset could not be stored: everything is as it was");
        return;
    }
    // The sessions are void already: should this fail, only their dead keys stay.
    if (!setup_.state.erase_sessions()) setup_.log.line("old session keys could not be erased");
    setup_.log.line("reset: owner, cloud and sessions are forgotten");
    settle(now);
}

}  // namespace sotto::device
