// SPDX-License-Identifier: Apache-2.0
// The seam between REST and the devices whose functions, variables and events the cloud may read:
// legacy ones, and what a modern device opens. Whoever holds the connection implements OpenDevice
// and reports to OpenDevices. Plain data and one interface; sealed devices have neither.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "cloud/model/ids.hpp"
#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace sotto::cloud::services {

// Why a device did not do what it was asked.
enum class DeviceError : std::uint8_t {
    NotConnected,  // or its connection ended before it answered
    TimedOut,      // connected, and silent
    NoSuch,        // it has no such function or variable
    Sealed,        // it has, and only the owner's keys can reach it
    TooLarge,      // the argument is more than it takes
    Busy,          // too much is under way to it
    Refused,       // it answered that it will not, or with what cannot be understood
};
inline constexpr int kDeviceErrorCount = static_cast<int>(DeviceError::Refused) + 1;

template <class T>
using DeviceDone = std::function<void(Result<T, DeviceError>)>;

enum class ValueType : std::uint8_t { Bool, Int, Double, String };
using Value = std::variant<bool, std::int32_t, double, std::string>;  // in the order of ValueType

// Private is for the devices and streams of its owner. Public is what a legacy device may ask for;
// here it reaches the same.
enum class Visibility : std::uint8_t { Private, Public };

// What made somebody say it. Only the first kind triggers webhooks, so that none runs in circles.
enum class Cause : std::uint8_t {
    Own,     // nothing else
    ByHook,  // the target of a webhook, which came back with it
    OfHook,  // the cloud tells what became of a webhook
};

// What somebody says to whoever listens.
struct Publication {
    std::string name;
    std::optional<std::string> data{};
    std::uint32_t ttl_s = 60;
    Visibility visibility = Visibility::Private;
    Cause cause = Cause::Own;
    std::uint16_t product = 0;  // of which it is an event; 0: of none
};

// What became of it: an event, numbered in the order of its coming.
struct Event {
    std::uint64_t id = 0;                        // rises, also over a restart
    std::optional<model::DeviceId> publisher{};  // none: a user, or the cloud
    model::AccountId owner;
    Publication what;
    Instant published_at{};
    std::string text{};  // as a stream sends it, made once
};

// What a connected device says of itself. Empty where it did not say.
struct DeviceAttributes {
    std::uint16_t platform_id = 0;
    std::uint16_t product_id = 0;
    std::uint16_t firmware_version = 0;  // of the product
    std::string system_version{};        // of Device OS
    std::string address{};               // of its socket, without the port
    std::vector<std::string> functions{};
    std::vector<std::pair<std::string, ValueType>> variables{};
    Instant connected_at{};
    Instant heard_at{};
    bool is_in_safe_mode = false;
};

// A firmware for devices, shared by all that are sent it.
struct Firmware {
    std::string name{};  // of its file
    std::vector<std::uint8_t> bytes{};
};
using FirmwarePtr = std::shared_ptr<const Firmware>;

// Why a device was not updated.
enum class UpdateError : std::uint8_t {
    NotConnected,
    WrongImage,   // it is damaged, no firmware, or one for others
    TooLarge,     // for this device
    Busy,         // another update of it is under way, or too many of all
    Refused,      // by the device
    Interrupted,  // its connection ended or it fell silent: it may be tried again
    Failed,       // in a way that another try does not mend
    Unsupported,  // not in this way
};
inline constexpr int kUpdateErrorCount = static_cast<int>(UpdateError::Unsupported) + 1;
struct UpdateFailure {
    UpdateError error{};
    std::string why{};  // a sentence for its user
};
using UpdateResult = Result<void, UpdateFailure>;

// What is told of an update, also from within OpenDevice::update().
struct UpdateSteps {
    // Bytes that the device has taken: 0 when it is ready to take them, and some ten times more.
    std::function<void(std::size_t taken)> on_progress;
    // Once, at the latest when the connection ends.
    std::function<void(const UpdateResult&)> on_end;
};

// A device that is connected and proved what it is. Each `done` is called once, now or later, at
// the latest when the connection ends (NotConnected); the device itself keeps the time (TimedOut).
// Any number may be under way at once, and each gets its own answer.
class OpenDevice {
  public:
    // Valid until the next call from or to the device.
    virtual const DeviceAttributes& attributes() const = 0;
    // What a function returns: a legacy one an int, a modern one a value of any type.
    virtual void call(const std::string& function,
                      const std::string& argument,
                      DeviceDone<Value> done) = 0;
    virtual void read(const std::string& variable, DeviceDone<Value> done) = 0;
    virtual void ping(DeviceDone<void> done) = 0;
    // Shouting rainbows, or no more.
    virtual void signal(bool is_on, DeviceDone<void> done) = 0;
    // Until it has restarted, everything else is answered Busy.
    virtual void update(FirmwarePtr firmware, UpdateSteps steps) = 0;
    // An event of its owner: passed on if the device has subscribed to it, else forgotten.
    virtual void on_event(const Event& event) = 0;
    // Another connection took its place, or it belongs to nobody here any more: close. Comes from
    // within calls of OpenDevices: do no more than begin.
    virtual void on_replaced() = 0;
    // The claim code that it showed has been used, or never was one: it need not show it again.
    virtual void forget_claim_code() {}

  protected:
    ~OpenDevice() = default;  // owned by whoever holds its connection
};

}  // namespace sotto::cloud::services
