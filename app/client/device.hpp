// SPDX-License-Identifier: Apache-2.0
// A device, as a program of its owner sees it: each call is one job, done when it returns. Commands
// run at most once; where an answer is lost, the device is asked what ran. Allocates; blocks on the
// transport. Borrows everything in Setup, which must outlive it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/client/transport.hpp"
#include "core/cose/credential.hpp"
#include "core/hal/entropy.hpp"
#include "core/keystore/pairing_code.hpp"
#include "core/keystore/records.hpp"
#include "core/session/client.hpp"

namespace sotto::app {

struct Notification {
    std::string event;
    std::string payload;
};

// Which cloud a device shall attach to (`/n`).
struct CloudAssignment {
    std::string address;
    crypto::Hash credential_hash{};
    std::array<std::uint8_t, keystore::kClaimSize> claim{};
};

// How far an argument or an answer of several messages has come.
struct TransferProgress {
    std::size_t done = 0;
    std::size_t total = 0;  // 0: not known
    bool is_answer = false;
    bool is_interrupted = false;  // the way is cut, and tried again
};

class Device {
  public:
    struct Setup {
        const keystore::Identity& identity;
        hal::Storage& storage;  // the records of this device and of one session with it
        hal::Entropy& entropy;
        Transport& transport;
        Clock now;
        Duration patience = seconds(20);  // for one job
        std::function<void(const TransferProgress&)> on_progress = {};
        // What makes an Instant a time since 1970: then live commands tell the device the time.
        std::optional<Duration> since_1970 = std::nullopt;
    };
    explicit Device(const Setup& setup);
    ~Device();

    // Becomes the owner of the device that shows this code. Trouble::NotTheDevice if the code is
    // not its code, Trouble::Refused if it has another owner or wants its button pressed,
    // Trouble::Unreachable, Trouble::State. Doing it again is harmless.
    Outcome<> pair(const keystore::PairingCode& code);

    // Arguments, results and values have up to 65,536 bytes. What takes several messages goes on
    // where it was when the way was cut, if it stands again within 2 minutes.
    //
    // Each of the following: Trouble::Usage if the device was never paired with, Trouble::Refused,
    // Unreachable, NotTheDevice, State; those that change something also
    // Trouble::OutcomeUnknown.
    Outcome<std::string> call(const std::string& function, const std::string& argument);
    // Seals a call that may be run until `not_after` (seconds since 1970), for a mailbox. Nothing
    // is sent. Trouble::Unreachable without a session, which only a live job can make.
    struct Sealed {
        session::Deferred deferred;
        std::vector<std::uint8_t> message;
    };
    Outcome<Sealed> seal(const std::string& function,
                         const std::string& argument,
                         std::uint32_t not_after);
    struct Answered {
        coap::Code code = coap::Code::Empty;
        std::string payload;
    };
    // The device's answer to it, if that is what came.
    Outcome<std::optional<Answered>> open(const session::Deferred& deferred, Bytes message);
    // Asks the device what became of it; what did not run never will. Trouble::Unreachable (it did
    // not run), Trouble::OutcomeUnknown (also if nobody answers).
    Outcome<Answered> settle(const session::Deferred& deferred);
    Outcome<std::string> get(const std::string& variable);
    // What it offers, in CoRE Link Format (RFC 6690).
    Outcome<std::string> describe();
    // Puts a cloud on trial: the device goes there, and comes back after 10 minutes unless
    // confirm_cloud() is called, through that cloud. The number of the trial.
    Outcome<std::uint32_t> try_cloud(const CloudAssignment& cloud);
    Outcome<> confirm_cloud(std::uint32_t trial);

    // Puts another key of the owner in the place of `setup.identity` [SES-27]: whoever has the
    // former one is locked out. The number of the pairing from then on. Doing it again is harmless.
    Outcome<std::uint32_t> hand_over(const cose::Credential& heir,
                                     const keystore::TokenKey& token_key);

    // Takes an access token back [SES-37], which ends at `not_after`: whoever has it is locked out.
    // Doing it again is harmless.
    Outcome<> revoke(const keystore::TokenId& token, std::uint32_t not_after);

    // A request to /u, where the device takes another firmware, whatever is answered.
    Outcome<Answered> ask_updater(coap::Code method, Bytes payload);

    // Registers for an event; the registration is renewed as long as next_event() is called.
    Outcome<> watch(const std::string& event);
    // The next event that came; nothing if none comes in time. Trouble::Unreachable if the device
    // has fallen silent.
    Outcome<std::optional<Notification>> next_event(Duration limit);

  private:
    class Driver;

    std::unique_ptr<Driver> driver_;
};

}  // namespace sotto::app
